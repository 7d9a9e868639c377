package httpapi

import (
	"github.com/gin-gonic/gin"

	"slipway/server/codec"
)

// The easy way in: a body in one of three forms, and a response in the same form.
func (a *API) predictRoutes(r gin.IRoutes) {
	predict := func(c *gin.Context) { a.infer(c, c.Param("model"), "", codec.Decode) }
	r.POST("/predict", predict)
	r.POST("/predict/:model", predict)
}
