package fetch

import (
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
)

const reportEvery = 5 * time.Second

// meter says how far the downloads are: on a terminal as a bar, else in the log.
type meter struct {
	there atomic.Int64 // bytes of the total, brought by this run or an earlier one
	came  atomic.Int64 // bytes over the network
	total int64        // -1: nobody said
	bar   *progressbar.ProgressBar
	end   chan struct{}
	ended sync.WaitGroup
}

func newMeter(o Options, what string, total int64) *meter {
	m := &meter{total: total, end: make(chan struct{})}
	if o.Terminal != nil {
		m.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(o.Terminal), progressbar.OptionSetDescription("fetch"), progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionThrottle(100*time.Millisecond))
		return m
	}
	m.ended.Go(func() { m.report(o.Log, what) })
	return m
}

// start counts what is there without having come now; less than 0 takes back.
func (m *meter) start(n int64) { m.show(m.there.Add(n)) }

func (m *meter) add(n int64) {
	m.came.Add(n)
	m.show(m.there.Add(n))
}

func (m *meter) show(there int64) {
	if m.bar != nil {
		_ = m.bar.Set64(there) // a terminal that can't be drawn on must not end a download
	}
}

func (m *meter) received() int64 { return m.came.Load() }

func (m *meter) report(log *slog.Logger, what string) {
	ticker := time.NewTicker(reportEvery)
	defer ticker.Stop()
	for started := time.Now(); ; {
		select {
		case <-m.end:
			return
		case <-ticker.C:
			came := m.came.Load()
			log.Info("fetching", "source", what, "bytes", m.there.Load(), "of", m.total, "megabytesPerSecond", rate(came, time.Since(started)))
		}
	}
}

func (m *meter) stop() {
	close(m.end)
	m.ended.Wait()
	if m.bar != nil {
		_ = m.bar.Clear()
		_ = m.bar.Exit()
	}
}

// rate is in megabytes a second, to one decimal.
func rate(bytes int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return math.Round(float64(bytes)/1e5/took.Seconds()) / 10
}
