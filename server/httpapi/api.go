package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"slipway/server/config"
	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// API answers HTTP requests for a catalog's models.
type API struct {
	Catalog      *serving.Catalog
	Keys         *config.Keys // nil: open to everybody
	Metrics      *telemetry.Metrics
	Log          *slog.Logger
	Access       *slog.Logger // has a line for each request; nil: Log
	MaxBodyBytes int64
	Version      string // of the server
	Tracing      bool   // make spans

	draining  atomic.Bool
	accessLog accessLog
}

// Handler has every route but those of administration.
func (a *API) Handler() http.Handler {
	r := a.router()
	if a.Tracing {
		r.Use(tracing()...)
	}
	r.Use(requestID, a.observe, a.recovery, a.closeWhenDraining, a.authenticate)
	a.healthRoutes(r)
	a.predictRoutes(r)
	a.v1Routes(r)
	a.v2Routes(r)
	a.repositoryRoutes(r, false)
	return r
}

// AdminHandler has the metrics, the loading of models, golden answers and
// profiles, and health for those who probe it here.
func (a *API) AdminHandler(g prometheus.Gatherer) http.Handler {
	r := a.router()
	r.Use(a.recovery)
	a.healthRoutes(r)
	a.repositoryRoutes(r, true)
	r.GET("/golden/:model/:version", a.golden)
	profileRoutes(r)
	r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(g, promhttp.HandlerOpts{})))
	return r
}

func profileRoutes(r gin.IRoutes) {
	r.GET("/debug/pprof/*profile", func(c *gin.Context) {
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

// Drain makes the server not ready and asks clients to connect elsewhere;
// requests are still answered.
func (a *API) Drain() { a.draining.Store(true) }

// ready is nil when requests should come here, else the reason.
func (a *API) ready() error {
	if a.draining.Load() {
		return fault.New(fault.Unavailable, "the server is shutting down")
	}
	return a.Catalog.Ready()
}

func (a *API) router() *gin.Engine {
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false
	_ = r.SetTrustedProxies(nil) // fails only on proxies that do not parse
	r.NoRoute(func(c *gin.Context) {
		fail(c, fault.New(fault.NotFound, "no route %s", c.Request.URL.Path))
	})
	r.NoMethod(func(c *gin.Context) {
		fail(c, fault.New(fault.MethodNotAllowed, "%s does not take %s", c.Request.URL.Path, c.Request.Method))
	})
	return r
}

func (a *API) recovery(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			a.Log.Error("handler panicked", "path", c.FullPath(), "panic", p)
			fail(c, errors.New("internal error"))
		}
	}()
	c.Next()
}
