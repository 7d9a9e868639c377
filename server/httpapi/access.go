package httpapi

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// route is what the lines of many requests have in common.
type route struct{ protocol, method, path, model, version string }

func (r route) attributes() []slog.Attr {
	return []slog.Attr{
		slog.String("protocol", r.protocol), slog.String("method", r.method), slog.String("path", r.path),
		slog.String("model", r.model), slog.String("version", r.version),
	}
}

// mostRoutes bounds what is kept of versions that came and went.
const mostRoutes = 1000

// accessLog writes a line for each request. Handlers that have the attributes
// of a route keep them formatted.
type accessLog struct {
	mu     sync.RWMutex
	routes map[route]slog.Handler // of predictions: a client can't make up another
}

func (l *accessLog) handler(log *slog.Logger, r route) slog.Handler {
	if r.protocol == "" {
		return log.Handler().WithAttrs(r.attributes())
	}
	l.mu.RLock()
	h := l.routes[r]
	l.mu.RUnlock()
	if h != nil {
		return h
	}
	h = log.Handler().WithAttrs(r.attributes())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.routes == nil || len(l.routes) >= mostRoutes {
		l.routes = map[route]slog.Handler{}
	}
	l.routes[r] = h
	return h
}

func (a *API) logAccess(c *gin.Context, r route, status int, ended time.Time, took time.Duration) {
	ctx, log := c.Request.Context(), a.Access
	if log == nil {
		log = a.Log
	}
	if !log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	// Without the place in the code, which a Logger would find out for each line.
	line := slog.NewRecord(ended, slog.LevelInfo, "request", 0)
	line.AddAttrs(
		slog.String("request_id", c.Writer.Header()[requestIDHeader][0]),
		slog.Int("status", status), slog.Float64("seconds", took.Seconds()),
	)
	if name := c.GetString(keyName); name != "" {
		line.AddAttrs(slog.String("key", name))
	}
	// A 4xx tells the client what its payload has wrong; the log holds no payload.
	if err := c.Errors.Last(); err != nil && status >= http.StatusInternalServerError {
		line.AddAttrs(slog.Any("error", err.Err))
	}
	_ = a.accessLog.handler(log, r).Handle(ctx, line) // there is nowhere to tell
}
