package batch_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// ledger is an Observer that counts.
type ledger struct {
	mu                           sync.Mutex
	waited, runs, rows, requests int
	failed                       int
	rejected, canceled           map[string]int
	depth                        int
	bytes                        int64
	sizes                        []int // rows of each run
	refused                      []error
	late                         []int // after each change
}

func newLedger() *ledger { return &ledger{rejected: map[string]int{}, canceled: map[string]int{}} }

func (l *ledger) Depth(requests int, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.depth, l.bytes = requests, bytes
}

func (l *ledger) Waited(time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waited++
}

func (l *ledger) Ran(rows, requests int, _ time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs++
	l.sizes = append(l.sizes, rows)
	if err != nil {
		l.failed++
		return
	}
	l.rows += rows
	l.requests += requests
}

func (l *ledger) Rejected(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rejected[reason]++
}

func (l *ledger) Canceled(where string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.canceled[where]++
}

func (l *ledger) BatchingRefused(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, err)
}

func (l *ledger) Late(runs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = append(l.late, runs)
}

// newQueue returns a queue that is closed when the test ends, if not before.
func newQueue(t testing.TB, run batch.Run, o batch.Options, observer batch.Observer) *batch.Queue {
	t.Helper()
	q := batch.New(run, o, observer)
	t.Cleanup(q.Close)
	return q
}

// counts are some of a ledger's numbers while they still change.
type counts struct{ waited, depth int }

func (l *ledger) seen() counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return counts{l.waited, l.depth}
}

// vector is a tensor of one column.
func vector(values ...float32) *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.FP32, Shape: []int64{int64(len(values)), 1}, Data: values}
}

func request(values ...float32) batch.Request {
	return batch.Request{Inputs: []*tensor.Tensor{vector(values...)}}
}

func values(t *testing.T, a batch.Response) []float32 {
	t.Helper()
	require.NotEmpty(t, a.Outputs)
	return a.Outputs[0].Value.(*tensor.Tensor).Data.([]float32)
}

// echo returns its input as Y after some time.
func echo(took time.Duration) batch.Run {
	return func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
		select {
		case <-time.After(took):
			return []tensor.Named{{Name: "Y", Value: inputs[0]}}, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// unbounded lets everything wait.
func unbounded(o batch.Options) batch.Options {
	o.MaxQueueRequests, o.MaxQueueBytes = 1<<20, 1<<40
	return o
}

// group runs callers in a bubble, each once the one before has been dealt with.
type group struct {
	sync.WaitGroup
	q *batch.Queue
}

func (g *group) start(ctx context.Context, r batch.Request, then func(batch.Response, error)) {
	g.Go(func() { then(g.q.Do(ctx, r)) })
	synctest.Wait()
}

func ignore(batch.Response, error) {}

func TestAnIdleInstanceRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		q := newQueue(t, echo(time.Millisecond), batch.Options{}, l)
		began := time.Now()
		a, err := q.Do(t.Context(), request(1, 2))
		require.NoError(t, err)
		assert.Equal(t, []float32{1, 2}, values(t, a))
		assert.Equal(t, 1, a.BatchSize, "without batching the first axis means nothing")
		assert.Equal(t, []time.Time{began, began, began.Add(time.Millisecond)}, []time.Time{a.Queued, a.Started, a.Finished})
		q.Close()
		assert.Equal(t, []int{1, 1, 1}, []int{l.waited, l.runs, l.requests})
		_, err = q.Do(t.Context(), request(1))
		assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
	})
}

func TestInstancesRunAtOnceAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{Instances: 3}), newLedger())}
		began := time.Now()
		for i := range 7 {
			g.start(t.Context(), request(float32(i)), func(a batch.Response, err error) {
				assert.NoError(t, err)
				assert.Equal(t, []float32{float32(i)}, values(t, a))
				assert.Equal(t, time.Duration(i/3+1)*time.Second, a.Finished.Sub(began), "first in, first out, three at a time")
			})
		}
		g.q.Close()
		g.Wait()
	})
}

func TestPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []float32
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{PriorityLevels: 3, DefaultPriority: 2}), newLedger())}
		for i, priority := range []int{0, 3, 2, 0, 1, 3, 1} {
			r := request(float32(i))
			r.Priority = priority
			g.start(t.Context(), r, func(a batch.Response, err error) {
				mu.Lock()
				defer mu.Unlock()
				assert.NoError(t, err)
				order = append(order, values(t, a)...)
			})
		}
		g.Wait()
		assert.Equal(t, []float32{0, 4, 6, 2, 3, 1, 5}, order)
		for _, priority := range []int{-1, 4} {
			_, err := g.q.Do(t.Context(), batch.Request{Priority: priority})
			assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
		}
	})
}

func TestAWaitingCallerLeavesAtOnce(t *testing.T) {
	for _, size := range []int{0, 8} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{MaxBatchSize: size}), l)}
			began := time.Now()
			g.start(t.Context(), request(0), ignore)
			ctx, cancel := context.WithCancelCause(t.Context())
			gone := errors.New("gone fishing")
			g.start(ctx, request(1), func(_ batch.Response, err error) {
				assert.Equal(t, fault.Canceled, fault.CodeOf(err))
				assert.ErrorIs(t, err, gone)
				assert.Zero(t, time.Since(began))
			})
			late, stop := context.WithTimeout(t.Context(), time.Second/2)
			defer stop()
			g.start(late, request(2), func(_ batch.Response, err error) {
				assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
				assert.Equal(t, time.Second/2, time.Since(began))
			})
			cancel(gone)
			g.q.Close()
			g.Wait()
			_, err := g.q.Do(ctx, request(1))
			assert.ErrorIs(t, err, gone, "a caller that has gone before does not get in")
			assert.Equal(t, 3, l.canceled["queue"])
			assert.Equal(t, []int{1, 1, 0, 0}, []int{l.runs, l.waited, l.depth, int(l.bytes)})
		})
	}
}

func TestACallerThatHasGoneWhenARunEndsCostsNoRun(t *testing.T) {
	for _, size := range []int{0, 8} {
		for range 50 {
			l := newLedger()
			ctx, cancel := context.WithCancel(t.Context())
			waiting := make(chan struct{})
			q := newQueue(t, func(context.Context, []*tensor.Tensor, []string) ([]tensor.Named, error) {
				<-waiting
				cancel()
				return nil, nil
			}, unbounded(batch.Options{MaxBatchSize: size}), l)
			var all sync.WaitGroup
			all.Go(func() { _, _ = q.Do(t.Context(), request(0)) })
			assert.Eventually(t, func() bool { return l.seen().waited == 1 }, time.Minute, time.Microsecond)
			for range 2 {
				all.Go(func() { _, _ = q.Do(ctx, request(1)) })
			}
			assert.Eventually(t, func() bool { return l.seen().depth == 2 }, time.Minute, time.Microsecond)
			close(waiting)
			all.Wait()
			q.Close()
			assert.Equal(t, 1, l.runs)
			assert.Equal(t, 2, l.canceled["queue"])
		}
	}
}

// watch is a ledger that calls back when nothing waits any more.
type watch struct {
	*ledger
	empty func()
}

func (w watch) Depth(requests int, bytes int64) {
	w.ledger.Depth(requests, bytes)
	if requests == 0 {
		w.empty()
	}
}

func TestACallerThatHasGoneWhenAnInstanceIsFreeCostsNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		ctx, cancel := context.WithCancel(t.Context())
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{}), watch{l, cancel})}
		g.start(t.Context(), request(0), ignore)
		g.start(ctx, request(1), func(_ batch.Response, err error) { assert.Equal(t, fault.Canceled, fault.CodeOf(err)) })
		g.Wait()
		g.q.Close()
		assert.Equal(t, 1, l.runs)
		assert.Equal(t, 1, l.canceled["queue"])
	})
}

// stubborn is a run that notices ctx only after some more time, as a real one does.
func stubborn(reading *int, more time.Duration) batch.Run {
	return func(ctx context.Context, _ []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
		*reading++
		<-ctx.Done()
		time.Sleep(more)
		*reading--
		return nil, context.Cause(ctx)
	}
}

func TestTheOnlyCallerOfARunStaysUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reading, l := 0, newLedger()
		q := newQueue(t, stubborn(&reading, 200*time.Millisecond), batch.Options{MaxBatchSize: 4}, l)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		_, err := q.Do(ctx, request(1))
		assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second+200*time.Millisecond, time.Since(began))
		assert.Zero(t, reading)
		assert.Equal(t, 1, l.canceled["run"])
		q.Close()
	})
}

func TestCallersOfABatchLeaveAtOnceAndTheLastOneEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		var at time.Duration
		l, began, first := newLedger(), time.Now(), true
		run := func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			if first {
				first = false
				return echo(time.Second)(ctx, inputs, nil)
			}
			<-ctx.Done()
			ended, at = context.Cause(ctx), time.Since(began)
			return nil, ended
		}
		g := group{q: newQueue(t, run, unbounded(batch.Options{MaxBatchSize: 8}), l)}
		g.start(t.Context(), request(0), ignore)
		for i := range 3 {
			ctx, stop := context.WithTimeout(t.Context(), time.Duration(i+5)*time.Second)
			defer stop()
			g.start(ctx, request(float32(i)), func(_ batch.Response, err error) {
				assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
				assert.Equal(t, time.Duration(i+5)*time.Second, time.Since(began))
			})
		}
		g.Wait()
		g.q.Close()
		assert.ErrorIs(t, ended, context.DeadlineExceeded)
		assert.Equal(t, 7*time.Second, at)
		assert.Equal(t, 3, l.canceled["run"])
		assert.Equal(t, []int{1, 3}, l.sizes, "nobody is there for a second try")
	})
}

func TestCloseWaitsForWhatIsQueuedAndRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{MaxBatchSize: 2, MaxQueueDelay: time.Hour}), newLedger())}
		began := time.Now()
		var answered atomic.Int64
		for range 5 {
			g.start(t.Context(), request(1), func(_ batch.Response, err error) {
				assert.NoError(t, err)
				answered.Add(1)
			})
		}
		g.q.Close()
		synctest.Wait()
		assert.Equal(t, int64(5), answered.Load())
		assert.Equal(t, 3*time.Second, time.Since(began))
		g.q.Close()
	})
}

func TestCloseEndsTheWaitForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{MaxBatchSize: 2, MaxQueueDelay: time.Hour}), newLedger())}
		began := time.Now()
		g.start(t.Context(), request(1), func(_ batch.Response, err error) { assert.NoError(t, err) })
		g.q.Close()
		g.Wait()
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestAPanicIsAnErrorAndFreesTheInstance(t *testing.T) {
	q := newQueue(t, func(context.Context, []*tensor.Tensor, []string) ([]tensor.Named, error) { panic("boo") }, batch.Options{}, newLedger())
	for range 2 {
		_, err := q.Do(t.Context(), request(1))
		assert.EqualError(t, err, "the run panicked: boo")
		assert.Equal(t, fault.Internal, fault.CodeOf(err))
	}
	q.Close()
}
