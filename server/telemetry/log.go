package telemetry

import (
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// NewLogger writes JSON lines of at least the given level.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// RegisterLog registers the series of the log.
func RegisterLog(r prometheus.Registerer, dropped func() int64) {
	promauto.With(r).NewCounterFunc(prometheus.CounterOpts{
		Name: "slipway_log_lines_dropped_total", Help: "Lines lost because the log took none.",
	}, func() float64 { return float64(dropped()) })
}
