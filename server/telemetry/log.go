// Package telemetry is what the server says of itself: JSON logs and Prometheus
// metrics. It never sees a payload.
package telemetry

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// NewLogger writes JSON lines of at least the given level.
func NewLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

const (
	flushBytes = 32 << 10
	flushAfter = 100 * time.Millisecond
)

// Lines hands lines on in larger pieces: a system call for each line of the
// access log takes longer than a small model's run. None waits longer than
// 100 ms; whoever ends the process must Flush.
type Lines struct {
	mu    sync.Mutex
	to    io.Writer
	bytes []byte
	timer *time.Timer
}

// NewLines collects lines for w.
func NewLines(w io.Writer) *Lines {
	l := &Lines{to: w}
	l.mu.Lock() // on a slow machine the timer fires before it has its name
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(flushAfter, func() { _ = l.Flush() }) // there is nowhere to tell
	return l
}

// Write keeps line, a whole one, for later, or reports that handing the earlier ones on failed.
func (l *Lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.bytes) == 0 {
		l.timer.Reset(flushAfter)
	}
	l.bytes = append(l.bytes, line...)
	if len(l.bytes) < flushBytes {
		return len(line), nil
	}
	return len(line), l.flush()
}

// Flush hands on what there is.
func (l *Lines) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *Lines) flush() error {
	l.timer.Stop()
	if len(l.bytes) == 0 {
		return nil
	}
	_, err := l.to.Write(l.bytes)
	l.bytes = l.bytes[:0]
	return err
}
