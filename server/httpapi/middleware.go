package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

const requestIDHeader = "X-Request-Id"

// openPaths need no API key: the kubelet has none.
var openPaths = map[string]bool{
	"/healthz": true, "/readyz": true, "/v2/health/live": true, "/v2/health/ready": true,
}

// keys of what a request carries through its handlers.
const (
	keyName     = "slipway.key"
	versionName = "slipway.version"
)

// requestID takes the caller's id if it is fit for a log line, else makes one.
func requestID(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		id = uuid.NewString()
	}
	c.Header(requestIDHeader, id)
	c.Next()
}

// closeWhenDraining lets a keep-alive client find another pod after this answer.
func (a *API) closeWhenDraining(c *gin.Context) {
	if a.draining.Load() {
		c.Header("Connection", "close")
	}
	c.Next()
}

func (a *API) authenticate(c *gin.Context) {
	if a.Keys == nil || openPaths[c.Request.URL.Path] {
		return
	}
	key, bearer := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	if !bearer {
		key = c.GetHeader("X-API-Key")
	}
	name, ok := a.Keys.Match(key)
	if !ok {
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, fault.New(fault.Unauthenticated, "an API key is needed: Authorization: Bearer <key> or X-API-Key: <key>"))
		return
	}
	c.Set(keyName, name)
}

// observe logs every request but the probes', and counts and times predictions.
func (a *API) observe(c *gin.Context) {
	if openPaths[c.Request.URL.Path] {
		return
	}
	began := time.Now()
	protocol := predictionProtocol(c)
	if protocol != "" {
		a.Metrics.Began()
	}
	defer func() {
		took := time.Since(began)
		a.logAccess(c, protocol, took)
		if protocol == "" {
			return
		}
		model, version := asked(c)
		a.Metrics.Answered(telemetry.Request{
			Model: model, Version: version, Protocol: protocol,
			Code: strconv.Itoa(c.Writer.Status()), Duration: took,
		})
	}()
	c.Next()
}

// predictionProtocol is the protocol of a prediction's route, empty for other routes.
func predictionProtocol(c *gin.Context) string {
	if c.Request.Method != http.MethodPost || c.FullPath() == "" {
		return ""
	}
	first, _, _ := strings.Cut(c.FullPath()[1:], "/")
	return first
}

func (a *API) logAccess(c *gin.Context, protocol string, took time.Duration) {
	model, version := asked(c)
	line := []any{
		"request_id", c.Writer.Header().Get(requestIDHeader), "protocol", protocol,
		"method", c.Request.Method, "path", c.FullPath(), "model", model, "version", version,
		"status", c.Writer.Status(), "seconds", took.Seconds(),
	}
	if name := c.GetString(keyName); name != "" {
		line = append(line, "key", name)
	}
	// A 4xx tells the client what its payload has wrong; the log holds no payload.
	if err := c.Errors.Last(); err != nil && c.Writer.Status() >= http.StatusInternalServerError {
		line = append(line, "error", err.Err)
	}
	a.Log.InfoContext(c.Request.Context(), "request", line...)
}

// asked are the model and version that the request was for, empty unless they
// are in the catalog: what a client made up is no label.
func asked(c *gin.Context) (model, version string) {
	if v, ok := c.Value(versionName).(*serving.Version); ok {
		return v.Model, v.Number
	}
	return "", ""
}
