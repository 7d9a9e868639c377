package telemetry

import (
	"io"
	"log/slog"
)

// NewLogger writes JSON lines of at least the given level.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
