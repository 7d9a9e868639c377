package httpapi

import (
	"math"
	"strconv"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
)

// fail ends the request with the error's status and {"error": "…"}.
func fail(c *gin.Context, err error) {
	_ = c.Error(err) // for the access log
	if wait := fault.RetryAfterOf(err); wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	c.AbortWithStatusJSON(fault.HTTPStatus(err), gin.H{"error": err.Error()})
}
