// Package progress says how far a transfer is: on a terminal as a bar, else in the log.
package progress

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
)

const reportEvery = 5 * time.Second

// Work is what is told of.
type Work struct {
	Verb     string      // stands before the bar, as in fetch
	Message  string      // of the log's lines, as in fetching
	Subject  []slog.Attr // go with it
	Total    int64       // bytes; -1: nobody said
	Log      *slog.Logger
	Terminal io.Writer // where the bar is drawn; nil: it is logged
}

// Meter counts bytes. It may be used by several goroutines.
type Meter struct {
	work  Work
	there atomic.Int64 // bytes of the total, moved by this run or an earlier one
	moved atomic.Int64 // bytes moved by this one
	bar   *progressbar.ProgressBar
	end   chan struct{}
	ended sync.WaitGroup
}

// Start begins to tell, until Stop.
func Start(w Work) *Meter {
	m := &Meter{work: w, end: make(chan struct{})}
	if w.Terminal != nil {
		m.bar = progressbar.NewOptions64(w.Total,
			progressbar.OptionSetWriter(w.Terminal), progressbar.OptionSetDescription(w.Verb), progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionThrottle(100*time.Millisecond))
		return m
	}
	m.ended.Go(m.report)
	return m
}

// Skip counts what is there without having been moved now; less than 0 takes back.
func (m *Meter) Skip(n int64) { m.show(m.there.Add(n)) }

// Add counts what was moved.
func (m *Meter) Add(n int64) {
	m.moved.Add(n)
	m.show(m.there.Add(n))
}

// Moved is the bytes that Add was told of.
func (m *Meter) Moved() int64 { return m.moved.Load() }

// Reader counts what is read of r, which ends with the context.
func (m *Meter) Reader(ctx context.Context, r io.Reader) io.Reader { return reader{ctx, r, m} }

type reader struct {
	ctx   context.Context
	from  io.Reader
	meter *Meter
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.from.Read(p)
	r.meter.Add(int64(n))
	return n, err
}

func (m *Meter) show(there int64) {
	if m.bar != nil {
		_ = m.bar.Set64(there) // a terminal that can't be drawn on must not end a transfer
	}
}

func (m *Meter) report() {
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for started := time.Now(); ; {
		select {
		case <-m.end:
			return
		case <-ticker.C:
			attributes := append(append([]slog.Attr{}, m.work.Subject...), slog.Int64("bytes", m.there.Load()), slog.Int64("of", m.work.Total),
				slog.Float64("megabytesPerSecond", Rate(m.Moved(), time.Since(started))))
			m.work.Log.LogAttrs(context.Background(), slog.LevelInfo, m.work.Message, attributes...)
		}
	}
}

// Stop takes the bar away and returns when nothing more is told.
func (m *Meter) Stop() {
	close(m.end)
	m.ended.Wait()
	if m.bar != nil {
		_ = m.bar.Clear()
		_ = m.bar.Exit()
	}
}

// Rate is in megabytes a second, to one decimal.
func Rate(bytes int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return math.Round(float64(bytes)/1e5/took.Seconds()) / 10
}
