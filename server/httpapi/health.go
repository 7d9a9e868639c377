package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
)

func (a *API) healthRoutes(r gin.IRoutes, ready gin.HandlerFunc) {
	get(r, "/healthz", a.live)
	get(r, "/readyz", ready)
}

// live reports that the process serves, whatever its models do, unless runs that do not
// end hold one up for ever.
func (a *API) live(c *gin.Context) {
	if a.Live() != nil {
		fail(c, errStuck)
		return
	}
	c.JSON(http.StatusOK, gin.H{"live": true})
}

var errStuck = fault.New(fault.Unavailable, "runs of a model do not end; the log of the server names it")

// ready reports whether requests should come here, and no more: it needs no key, and
// the reason names models.
func (a *API) ready(c *gin.Context) {
	if a.Ready() != nil {
		fail(c, errNotReady)
		return
	}
	c.JSON(http.StatusOK, gin.H{"ready": true})
}

var errNotReady = fault.New(fault.Unavailable, "not ready; /readyz of the administration port has the reason (admin.address)")

// readyOrWhy is ready with the reason, for the administration port.
func (a *API) readyOrWhy(c *gin.Context) {
	if err := a.Ready(); err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"ready": true})
}
