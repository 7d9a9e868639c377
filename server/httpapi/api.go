package httpapi

import (
	"errors"
	"net/http"
	"net/http/pprof"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"slipway/server/api"
	"slipway/server/fault"
)

// API serves HTTP requests.
type API struct {
	*api.API

	MaxBodyBytes int64
	CORS         CORS
}

// Handler has every route but those of administration.
func (a *API) Handler() http.Handler {
	r := router()
	if a.Tracing {
		r.Use(tracing()...)
	}
	r.Use(a.observe, a.recovery, a.closeWhenDraining, a.authenticate)
	a.healthRoutes(r, a.ready)
	a.predictRoutes(r)
	a.v1Routes(r)
	a.v2Routes(r)
	a.repositoryRoutes(r, notHere, notHere)
	return a.CORS.handler(r)
}

// AdminHandler has the metrics, the loading of models, golden answers and
// profiles, and health for those who probe it here. Health and metrics need no key.
func (a *API) AdminHandler(g prometheus.Gatherer) http.Handler {
	r := router()
	r.Use(a.observe, a.recovery, a.authenticateAdmin, sameOrigin)
	a.healthRoutes(r, a.readyOrWhy)
	a.repositoryRoutes(r, a.load, a.unload)
	get(r, "/golden/:model/:version", a.golden)
	profileRoutes(r)
	get(r, metricsPath, gin.WrapH(promhttp.HandlerFor(g, promhttp.HandlerOpts{})))
	return r
}

func profileRoutes(r gin.IRoutes) {
	get(r, "/debug/pprof/*profile", func(c *gin.Context) {
		switch c.Param("profile") {
		case "/profile":
			pprof.Profile(c.Writer, c.Request)
		case "/trace":
			pprof.Trace(c.Writer, c.Request)
		case "/symbol":
			pprof.Symbol(c.Writer, c.Request)
		default:
			pprof.Index(c.Writer, c.Request)
		}
	})
}

func router() *gin.Engine {
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	_ = r.SetTrustedProxies(nil) // fails only on proxies that do not parse
	r.NoRoute(func(c *gin.Context) {
		fail(c, fault.New(fault.NotFound, "no route %s", c.Request.URL.Path))
	})
	r.NoMethod(noMethod)
	return r
}

func (a *API) recovery(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			fail(c, a.Panicked(c.Request.Context(), c.FullPath(), p))
		}
	}()
	c.Next()
}
