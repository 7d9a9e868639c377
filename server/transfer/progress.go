package transfer

import (
	"context"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"slipway/server/bundle"
)

const reportEvery = 5 * time.Second

// Work describes a transfer to those who follow its progress.
type Work struct {
	Verb     string      // labels the bar, as in fetch
	Message  string      // of the log's lines, as in fetching
	Subject  []slog.Attr // of the log's lines
	Total    int64       // bytes; -1 if unknown
	Log      *slog.Logger
	Terminal io.Writer // where the bar is drawn; nil: progress is logged
}

// Meter counts bytes and reports them: on a terminal as a bar, else in the log.
// Several goroutines may use it.
type Meter struct {
	work    Work
	present atomic.Int64 // bytes of the total, moved by this run or an earlier one
	moved   atomic.Int64 // bytes moved by this run
	bar     *progressbar.ProgressBar
	end     chan struct{}
	ended   sync.WaitGroup
}

// StartMeter begins to report, until Stop.
func StartMeter(w Work) *Meter {
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

// Skip counts bytes that an earlier run has moved. A negative number takes bytes
// back that must be moved again.
func (m *Meter) Skip(n int64) { m.show(m.present.Add(n)) }

// Add counts bytes that this run has moved.
func (m *Meter) Add(n int64) {
	m.moved.Add(n)
	m.show(m.present.Add(n))
}

// Moved returns the bytes that this run has moved.
func (m *Meter) Moved() int64 { return m.moved.Load() }

// Reader counts what is read from r and ends with the context.
func (m *Meter) Reader(ctx context.Context, r io.Reader) io.Reader {
	return counted{bundle.Cancellable(ctx, r), m}
}

type counted struct {
	io.Reader
	meter *Meter
}

func (r counted) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.meter.Add(int64(n))
	return n, err
}

func (m *Meter) show(present int64) {
	if m.bar != nil {
		_ = m.bar.Set64(present) // a terminal that can't be drawn on must not end a transfer
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
			attributes := append(append([]slog.Attr{}, m.work.Subject...), slog.Int64("bytes", m.present.Load()), slog.Int64("of", m.work.Total),
				slog.Float64("megabytes_per_second", Rate(m.Moved(), time.Since(started))))
			m.work.Log.LogAttrs(context.Background(), slog.LevelInfo, m.work.Message, attributes...)
		}
	}
}

// Stop removes the bar and returns when nothing more is reported.
func (m *Meter) Stop() {
	close(m.end)
	m.ended.Wait()
	if m.bar != nil {
		_ = m.bar.Clear()
		_ = m.bar.Exit()
	}
}

// Rate returns megabytes a second, to one decimal.
func Rate(bytes int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return math.Round(float64(bytes)/1e5/took.Seconds()) / 10
}
