package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

func (a *API) healthRoutes(r gin.IRoutes) {
	r.GET("/healthz", a.live)
	r.GET("/readyz", a.isReady)
}

// live says that the process answers, whatever its models do.
func (a *API) live(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"live": true}) }

func (a *API) isReady(c *gin.Context) {
	if err := a.ready(); err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"ready": true})
}
