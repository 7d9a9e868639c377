package bench_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bench"
)

// fake responds after a while of the bubble's own time.
type fake struct {
	takes  func(at time.Duration) time.Duration
	status string
	began  time.Time
	mu     *sync.Mutex
	calls  *[]time.Duration
}

func (f fake) Call() bench.Outcome {
	at := time.Since(f.began)
	f.mu.Lock()
	*f.calls = append(*f.calls, at)
	f.mu.Unlock()
	time.Sleep(f.takes(at))
	return bench.Outcome{Status: f.status, Detail: "as stated"}
}

func (fake) Close() error { return nil }

// run puts a load on fakes, in a bubble, and returns when they were called.
func run(t *testing.T, l bench.Load, status string, takes func(time.Duration) time.Duration) (p bench.Point, calls []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer bench.Nap(time.Sleep)()
		var mu sync.Mutex
		began := time.Now()
		var err error
		p, err = l.Run(t.Context(), func() (bench.Caller, error) {
			return fake{takes: takes, status: status, began: began, mu: &mu, calls: &calls}, nil
		})
		require.NoError(t, err)
	})
	return p, calls
}

func always(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

func TestClosedLoopKeepsEachCallerBusy(t *testing.T) {
	p, _ := run(t, bench.Load{Concurrency: 3, Warmup: time.Second, Duration: 10 * time.Second}, bench.StatusOK, always(100*time.Millisecond))
	assert.InDelta(t, 30, p.Throughput, 0.4)
	assert.InDelta(t, 0.1, p.Latency.P50, 0.001)
	assert.InDelta(t, 10, p.Seconds, 1e-9)
	assert.Equal(t, 3, p.Concurrency)
	assert.Empty(t, p.Failures)
}

func TestOpenLoopSendsWhenItIsDue(t *testing.T) {
	p, calls := run(t, bench.Load{Rate: 100, Duration: time.Second}, bench.StatusOK, always(5*time.Millisecond))
	require.InDelta(t, 100, len(calls), 0)
	for i, at := range calls {
		assert.InDelta(t, float64(i)/100, at.Seconds(), 1e-6)
	}
	assert.InDelta(t, 0.005, p.Latency.Max, 1e-6)
	assert.Zero(t, p.Lag)
	assert.Zero(t, p.Unsent)
}

// A server that stands still for a second adds to the latency of all requests due in it.
func TestOpenLoopCountsFromWhenItWasDue(t *testing.T) {
	freeze := func(at time.Duration) time.Duration {
		if at >= time.Second && at < 2*time.Second {
			return 2*time.Second - at
		}
		return time.Millisecond
	}
	p, calls := run(t, bench.Load{Rate: 100, Duration: 4 * time.Second}, bench.StatusOK, freeze)
	assert.InDelta(t, 400, len(calls), 0, "none is left out while the server stands still")
	assert.InDelta(t, 1, p.Latency.Max, 0.001)
	assert.InDelta(t, 0.6, p.Latency.P90, 0.02, "a quarter waited up to a second")
	assert.InDelta(t, 0.001, p.Latency.P50, 0.0001)
}

func TestOpenLoopBeyondItsConnections(t *testing.T) {
	p, calls := run(t, bench.Load{Rate: 1000, Duration: 4 * time.Second}, bench.StatusOK, always(3*time.Second))
	assert.InDelta(t, 2048+1000, len(calls), 1, "2048 at once, and each caller that becomes idle in the last second")
	assert.InDelta(t, 4000-3048, p.Unsent, 1)
	assert.InDelta(t, 3048, p.Responses, 1)
	assert.InDelta(t, 7, p.Seconds, 0.01, "until the last response")
	assert.InDelta(t, 3.952, p.Latency.Max, 0.01, "the 2049th was due at 2.048 s and could be sent at 3")
}

func TestPoissonArrivals(t *testing.T) {
	l := bench.Load{Rate: 500, Poisson: true, Seed: 3, Duration: 20 * time.Second}
	_, calls := run(t, l, bench.StatusOK, always(0))
	assert.InDelta(t, 10_000, len(calls), 300)
	short := 0
	for i := range calls[1:] {
		if calls[i+1]-calls[i] < 2*time.Millisecond {
			short++
		}
	}
	assert.InDelta(t, 0.632, float64(short)/float64(len(calls)), 0.02, "1-1/e of the gaps are below their mean")
	_, again := run(t, l, bench.StatusOK, always(0))
	assert.Equal(t, calls, again, "the seed decides when")
}

func TestFailuresAreCountedByStatus(t *testing.T) {
	p, _ := run(t, bench.Load{Concurrency: 1, Duration: time.Second}, "429", always(10*time.Millisecond))
	assert.Zero(t, p.Responses)
	assert.Zero(t, p.Throughput)
	require.Contains(t, p.Failures, "429")
	assert.InDelta(t, 100, p.Failures["429"].Count, 1)
	assert.Equal(t, "as stated", p.Failures["429"].Example)
	assert.InDelta(t, 0.01, p.Failures["429"].Latency.P99, 0.0001)
}

func TestWhatCannotConnectIsAnError(t *testing.T) {
	refuse := func() (bench.Caller, error) { return nil, errors.New("refused") }
	for _, l := range []bench.Load{{Concurrency: 1, Duration: time.Second}, {Rate: 1, Duration: time.Second}} {
		_, err := l.Run(t.Context(), refuse)
		assert.ErrorContains(t, err, "connect: refused")
	}
}

func TestCancelledRunKeepsWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer bench.Nap(time.Sleep)()
		for _, l := range []bench.Load{{Concurrency: 1, Duration: time.Hour}, {Rate: 100, Duration: time.Hour}} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			var mu sync.Mutex
			var calls []time.Duration
			p, err := l.Run(ctx, func() (bench.Caller, error) {
				return fake{takes: always(10 * time.Millisecond), status: bench.StatusOK, began: time.Now(), mu: &mu, calls: &calls}, nil
			})
			cancel()
			require.NoError(t, err)
			assert.InDelta(t, 10, p.Seconds, 0.1)
			assert.InDelta(t, 100, p.Throughput, 2)
		}
	})
}
