package httpapi

import (
	"github.com/gin-gonic/gin"

	"slipway/server/codec"
)

// The easy door: three forms of question, and the answer has the form of the question.
func (a *API) predictRoutes(r gin.IRoutes) {
	handle := func(c *gin.Context) { a.infer(c, c.Param("model"), "", codec.Decode) }
	r.POST("/predict", handle)
	r.POST("/predict/:model", handle)
}
