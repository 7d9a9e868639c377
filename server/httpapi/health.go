package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

func (a *API) healthRoutes(r gin.IRoutes) {
	r.GET("/healthz", a.live)
	r.GET("/readyz", a.ready)
}

// live reports that the process serves, whatever its models do.
func (a *API) live(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"live": true}) }

func (a *API) ready(c *gin.Context) {
	if err := a.Ready(); err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"ready": true})
}
