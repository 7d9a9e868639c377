package batch_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// load is an open loop: requests come however the server fares.
type load struct {
	name     string
	options  batch.Options
	took     func(random *rand.Rand, rows int) time.Duration // of a run
	best     float64                                         // rows a second that the instances can do
	deadline time.Duration
	least    int // rows of a request; 0: 1
	spread   int // how many more it may have
	cold     time.Duration
}

// figures are what came of a load.
type figures struct {
	sent, accepted, good, late, rejected int
	goodput                              float64 // rows a second answered in time
	p99                                  time.Duration
}

const lasted = 30 * time.Second

func (l load) run(t *testing.T, times float64) (f figures) {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	runs := 0
	q := newQueue(t, func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
		mu.Lock()
		took := l.took(random, int(inputs[0].Shape[0]))
		if runs++; runs == 1 {
			took += l.cold
		}
		mu.Unlock()
		return echo(took)(ctx, inputs, nil)
	}, unbounded(l.options), newLedger())
	var all sync.WaitGroup
	var latencies []time.Duration
	rows, ended := 0, time.Now().Add(lasted)
	for time.Now().Before(ended) {
		mu.Lock()
		size := max(l.least, 1) + random.IntN(l.spread+1)
		pause := random.ExpFloat64() / (l.best * times) * (float64(max(l.least, 1)) + float64(l.spread)/2)
		mu.Unlock()
		time.Sleep(time.Duration(pause * float64(time.Second)))
		f.sent++
		all.Go(func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), l.deadline)
			defer cancel()
			_, err := q.Do(ctx, counted(size))
			mu.Lock()
			defer mu.Unlock()
			if fault.CodeOf(err) == fault.Overloaded {
				assert.Zero(t, time.Since(began), "refused at once")
				f.rejected++
				return
			}
			latencies = append(latencies, time.Since(began))
			if err != nil {
				f.late++
				return
			}
			f.good++
			rows += size
		})
	}
	all.Wait()
	q.Close()
	require.NotEmpty(t, latencies)
	slices.Sort(latencies)
	f.accepted, f.p99 = len(latencies), latencies[len(latencies)*99/100]
	f.goodput = float64(rows) / lasted.Seconds()
	return f
}

func steady(fixed, perRow time.Duration) func(*rand.Rand, int) time.Duration {
	return func(_ *rand.Rand, rows int) time.Duration { return fixed + time.Duration(rows)*perRow }
}

func TestTwiceTheSustainableLoad(t *testing.T) {
	const ms = time.Millisecond
	for _, l := range []load{
		{name: "one instance", took: steady(10*ms, 0), best: 100, deadline: 100 * ms},
		{name: "one instance, short deadline", took: steady(10*ms, 0), best: 100, deadline: 35 * ms},
		{name: "four instances", options: batch.Options{Instances: 4}, took: steady(10*ms, 0), best: 400, deadline: 50 * ms},
		{name: "cold first run", took: steady(10*ms, 0), best: 100, deadline: 100 * ms, cold: 80 * ms},
		{
			name: "run times differ", options: batch.Options{Instances: 2}, best: 200, deadline: 100 * ms,
			took: func(r *rand.Rand, _ int) time.Duration { return 5*ms + time.Duration(r.Int64N(int64(10*ms))) },
		},
		{
			name: "a run in twenty is slow", best: 1000 / 7.25, deadline: 300 * ms,
			took: func(r *rand.Rand, _ int) time.Duration {
				if r.IntN(20) == 0 {
					return 50 * ms
				}
				return 5 * ms
			},
		},
		{name: "batching", options: batch.Options{MaxBatchSize: 16}, took: steady(16*ms, 2*ms), best: 16 / .048, deadline: 200 * ms},
		{name: "batching, short deadline", options: batch.Options{MaxBatchSize: 16}, took: steady(16*ms, 2*ms), best: 16 / .048, deadline: 120 * ms},
		{name: "batching, a delay", options: batch.Options{MaxBatchSize: 16, MaxQueueDelay: 20 * ms}, took: steady(16*ms, 2*ms), best: 16 / .048, deadline: 200 * ms},
		{name: "batching, two instances", options: batch.Options{MaxBatchSize: 8, Instances: 2}, took: steady(16*ms, 2*ms), best: 2 * 8 / .032, deadline: 200 * ms},
		{name: "batching, several rows", options: batch.Options{MaxBatchSize: 16}, spread: 3, took: steady(16*ms, 2*ms), best: 16 / .048, deadline: 240 * ms},
		{name: "batching, one fits", options: batch.Options{MaxBatchSize: 16}, least: 9, took: steady(16*ms, 2*ms), best: 9 / .034, deadline: 240 * ms},
	} {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := l.run(t, 2)
				t.Logf("best %.0f rows/s, %+v", l.best, f)
				assert.GreaterOrEqual(t, f.goodput, .9*l.best, "of rows/s: %+v", f)
				assert.Less(t, f.p99, l.deadline, "p99 of the accepted: %+v", f)
				f = l.run(t, .5)
				t.Logf("half %.0f rows/s, %+v", l.best, f)
				assert.GreaterOrEqual(t, f.good, f.sent*95/100, "half the load is no overload: %+v", f)
			})
		})
	}
}

func TestAdmitsBeforeARequestIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(context.Context, []*tensor.Tensor, []string) ([]tensor.Named, error) {
			time.Sleep(time.Second)
			return nil, nil
		}
		q := newQueue(t, run, batch.Options{Instances: 1, MaxQueueRequests: 1, MaxQueueBytes: 1 << 20}, silent{})
		require.NoError(t, q.Admits(time.Millisecond), "nothing has been measured")
		_, err := q.Do(t.Context(), batch.Request{})
		require.NoError(t, err)
		require.NoError(t, q.Admits(time.Millisecond), "an instance is idle")
		var all sync.WaitGroup
		send := func() {
			_, err := q.Do(t.Context(), batch.Request{})
			assert.NoError(t, err)
		}
		all.Go(send)
		synctest.Wait()
		require.NoError(t, q.Admits(0))
		require.NoError(t, q.Admits(10*time.Second))
		assert.Equal(t, fault.Overloaded, fault.CodeOf(q.Admits(time.Second)), "the response would take two")
		all.Go(send)
		synctest.Wait()
		assert.Equal(t, fault.Overloaded, fault.CodeOf(q.Admits(0)), "the queue is full")
		all.Wait()
		q.Close()
	})
}
