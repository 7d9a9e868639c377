package httpapi

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"slipway/server/api"
	"slipway/server/fault"
)

// Headers of responses, written canonically.
const (
	requestIDHeader = "X-Request-Id"
	modelHeader     = "Slipway-Model"
	versionHeader   = "Slipway-Version"
)

const metricsPath = "/metrics"

// openPaths need no API key and leave no line in the log: the kubelet has no key
// and calls them all the time.
var openPaths = map[string]bool{
	"/healthz": true, "/readyz": true, "/v2/health/live": true, "/v2/health/ready": true,
}

// callKey is where a gin.Context has the *api.Call.
const callKey = "slipway.call"

func callOf(c *gin.Context) *api.Call { return c.MustGet(callKey).(*api.Call) }

// observe logs every request but those of probes, and counts and times predictions.
func (a *API) observe(c *gin.Context) {
	protocol := predictionProtocol(c)
	call := &api.Call{
		ID:       api.RequestID(header(c.Request, requestIDHeader)),
		Client:   a.ClientAddress(c.Request.RemoteAddr, c.Request.Header["X-Forwarded-For"]),
		Protocol: protocol, Method: c.Request.Method, Path: c.FullPath(),
		Prediction: protocol != "",
		Silent:     openPaths[c.Request.URL.Path] || c.FullPath() == metricsPath,
	}
	c.Writer.Header()[requestIDHeader] = []string{call.ID}
	c.Set(callKey, call)
	a.Begin(call)
	defer func() {
		a.Finish(c.Request.Context(), call, result(c))
		a.discardUnread(c)
	}()
	c.Next()
}

// predictionProtocol returns the protocol of a prediction's route, which is the
// first part of its path; empty for other routes.
func predictionProtocol(c *gin.Context) string {
	path := c.FullPath()
	if c.Request.Method != http.MethodPost || path == "" || strings.HasPrefix(path, repositoryPath) {
		return ""
	}
	first, _, _ := strings.Cut(path[1:], "/")
	return first
}

func result(c *gin.Context) api.Result {
	status := c.Writer.Status()
	r := api.Result{Status: slog.IntValue(status), Code: strconv.Itoa(status)}
	if err := c.Errors.Last(); err != nil && status >= http.StatusInternalServerError {
		r.Reason = fault.Text(err.Err)
	}
	return r
}

// header returns the value of a request's header whose name is written
// canonically, which Header.Get would check every time.
func header(r *http.Request, canonical string) string {
	if values := r.Header[canonical]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// closeWhenDraining lets a keep-alive client find another pod after this response.
func (a *API) closeWhenDraining(c *gin.Context) {
	if a.ShuttingDown() != nil {
		c.Header("Connection", "close")
	}
	c.Next()
}

// authenticateAdmin is authenticate for the port that serves the metrics, which
// Prometheus gets without a key.
func (a *API) authenticateAdmin(c *gin.Context) {
	if c.FullPath() != metricsPath {
		a.authenticate(c)
	}
}

// sameOrigin refuses what a page of another site makes a browser send: somebody who
// can reach this port must not be used to change models.
func sameOrigin(c *gin.Context) {
	if err := http.NewCrossOriginProtection().Check(c.Request); err != nil {
		fail(c, fault.New(fault.PermissionDenied, "requests from pages of other sites are refused: %w", err))
	}
}

func (a *API) authenticate(c *gin.Context) {
	if openPaths[c.Request.URL.Path] {
		return
	}
	name, err := a.Authenticate(c.Request.Context(), callOf(c).Client, header(c.Request, "Authorization"), header(c.Request, "X-Api-Key"))
	if err != nil {
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, err)
		return
	}
	callOf(c).Key = name
}
