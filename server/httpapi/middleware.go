package httpapi

import (
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"slipway/server/fault"
	"slipway/server/telemetry"
)

// Headers that answers carry, written canonically.
const (
	requestIDHeader = "X-Request-Id"
	modelHeader     = "Slipway-Model"
	versionHeader   = "Slipway-Version"
)

// openPaths need no API key: the kubelet has none.
var openPaths = map[string]bool{
	"/healthz": true, "/readyz": true, "/v2/health/live": true, "/v2/health/ready": true,
}

// keyName is where a request carries the name of its API key.
const keyName = "slipway.key"

// requestID takes the caller's id if it is fit for a log line, else makes one.
func requestID(c *gin.Context) {
	id := header(c.Request, requestIDHeader)
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		id = newID()
	}
	c.Writer.Header()[requestIDHeader] = []string{id}
	c.Next()
}

// newID is a random UUID. It keeps nobody out, so it need not be beyond guessing.
func newID() string {
	var id uuid.UUID
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562's variant
	return id.String()
}

// header is the value of a request's header whose name is written canonically,
// which Header.Get would find out every time.
func header(r *http.Request, canonical string) string {
	if values := r.Header[canonical]; len(values) > 0 {
		return values[0]
	}
	return ""
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
		ended := time.Now()
		took := ended.Sub(began)
		model, version := asked(c)
		status := c.Writer.Status()
		a.logAccess(c, route{protocol, c.Request.Method, c.FullPath(), model, version}, status, ended, took)
		if protocol == "" {
			return
		}
		a.Metrics.Answered(telemetry.Request{
			Model: model, Version: version, Protocol: protocol, Code: code(status), Duration: took,
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

// code is a status as the metrics name it; that of most answers is not made anew.
func code(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}

// asked are the model and version that the request was for, empty unless they
// are in the catalog: what a client made up is no label.
func asked(c *gin.Context) (model, version string) {
	h := c.Writer.Header()
	if models, versions := h[modelHeader], h[versionHeader]; len(models) > 0 && len(versions) > 0 {
		return models[0], versions[0]
	}
	return "", ""
}
