package httpapi

import (
	"encoding/json"
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
	body, _ := json.Marshal(gin.H{"error": fault.Text(err)}) // a string always has its JSON
	c.Abort()
	keepUnread(c)
	c.Header("Content-Length", strconv.Itoa(len(body)))
	// Without a charset, which JSON does not have: KServe's client accepts no other value.
	c.Data(fault.HTTPStatus(err), "application/json", body)
}
