package httpapi

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
)

const allowHeader = "Allow"

// get routes GET, and HEAD, which is the same without a body.
func get(r gin.IRoutes, path string, h gin.HandlerFunc) {
	r.GET(path, h)
	r.HEAD(path, h)
}

// noMethod answers a method that a path does not take, and OPTIONS. gin has written the
// methods that the path takes.
func noMethod(c *gin.Context) {
	allow(c, c.Writer.Header().Get(allowHeader))
	if c.Request.Method == http.MethodOptions {
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	fail(c, fault.New(fault.MethodNotAllowed, "%s does not take %s", c.Request.URL.Path, c.Request.Method))
}

// allow writes the methods of a path. In V1 one route has models and, behind a colon,
// their verbs.
func allow(c *gin.Context, methods string) {
	path := c.Request.URL.Path
	switch {
	case !strings.HasPrefix(path, "/v1/models/"):
	case strings.Contains(path, ":"):
		methods = http.MethodPost
	default:
		methods = http.MethodGet + ", " + http.MethodHead
	}
	c.Header(allowHeader, methods+", "+http.MethodOptions)
}
