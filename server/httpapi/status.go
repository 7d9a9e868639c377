package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
)

// statusClientClosed is nginx's status for a client that went away; nobody
// reads the answer, the log and the metrics do.
const statusClientClosed = 499

var statuses = map[fault.Code]int{
	fault.Internal:         http.StatusInternalServerError,
	fault.InvalidArgument:  http.StatusBadRequest,
	fault.Unauthenticated:  http.StatusUnauthorized,
	fault.NotFound:         http.StatusNotFound,
	fault.MethodNotAllowed: http.StatusMethodNotAllowed,
	fault.TooLarge:         http.StatusRequestEntityTooLarge,
	fault.UnsupportedMedia: http.StatusUnsupportedMediaType,
	fault.Unavailable:      http.StatusServiceUnavailable,
	fault.Canceled:         statusClientClosed,
	fault.DeadlineExceeded: http.StatusGatewayTimeout,
}

// fail ends the request with the error's status and {"error": "…"}.
func fail(c *gin.Context, err error) {
	_ = c.Error(err) // for the access log
	c.AbortWithStatusJSON(statuses[fault.CodeOf(err)], gin.H{"error": err.Error()})
}
