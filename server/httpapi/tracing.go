package httpapi

import (
	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// tracing makes a span of each request but the probes', below the caller's if it
// sent one, and reports the span in the response's headers.
func tracing() []gin.HandlerFunc {
	span := otelgin.Middleware("slipway", otelgin.WithGinFilter(func(c *gin.Context) bool { return !openPaths[c.Request.URL.Path] }))
	return []gin.HandlerFunc{span, func(c *gin.Context) {
		otel.GetTextMapPropagator().Inject(c.Request.Context(), propagation.HeaderCarrier(c.Writer.Header()))
		c.Next()
	}}
}
