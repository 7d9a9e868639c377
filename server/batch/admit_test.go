package batch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// within sends a request with a deadline from now.
func (g *group) within(t *testing.T, timeout time.Duration, r batch.Request, then func(batch.Response, error)) {
	ctx, stop := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(stop)
	g.start(ctx, r, then)
}

func TestTheQueueIsBounded(t *testing.T) {
	for _, test := range []struct {
		reason  string
		options batch.Options
		waiting int
		err     string
	}{
		{"requests", batch.Options{MaxQueueRequests: 3, MaxQueueBytes: 1 << 20}, 3, "3 requests are waiting, as many as may (queue.maxRequests)"},
		{"requests", batch.Options{MaxQueueBytes: 1 << 20}, 0, "0 requests are waiting, as many as may (queue.maxRequests)"},
		{"bytes", batch.Options{MaxQueueRequests: 9, MaxQueueBytes: 20}, 2, "16 bytes are waiting and the request has 8; 20 may wait (queue.maxBytes)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			g := group{q: newQueue(t, echo(10*time.Second), test.options, l)}
			_, err := g.q.Do(t.Context(), request(0)) // measures
			require.NoError(t, err)
			for range 1 + test.waiting {
				g.start(t.Context(), request(1, 2), func(_ batch.Response, err error) { assert.NoError(t, err) })
			}
			assert.Equal(t, test.waiting, l.depth)
			assert.Equal(t, int64(8*test.waiting), l.bytes)
			time.Sleep(4 * time.Second)
			g.start(t.Context(), request(1, 2), func(_ batch.Response, err error) {
				assert.EqualError(t, err, test.err)
				assert.Equal(t, fault.Overloaded, fault.CodeOf(err))
				assert.Equal(t, time.Duration(6+10*test.waiting)*time.Second, fault.RetryAfterOf(err), "when what waits will have been worked off")
			})
			assert.Equal(t, map[string]int{test.reason: 1}, l.rejected)
			g.Wait()
		})
	}
}

func TestADeadlineThatCannotBeMetIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		g := group{q: newQueue(t, echo(10*time.Second), unbounded(batch.Options{Instances: 2, PriorityLevels: 2, DefaultPriority: 2}), l)}
		_, err := g.q.Do(t.Context(), request(0))
		require.NoError(t, err)
		for range 6 {
			g.start(t.Context(), request(0), ignore)
		}
		time.Sleep(5 * time.Second)
		// Both runs have 5 s to go and 4 more are waiting: 25 s, the own run, and a margin of a 16th.
		const needed = 35*time.Second + 35*time.Second/16
		g.within(t, needed-time.Second, request(0), func(_ batch.Response, err error) {
			assert.EqualError(t, err, "a response would take 37.1875s, the deadline is in 36.1875s")
			assert.Equal(t, fault.Overloaded, fault.CodeOf(err))
			assert.Equal(t, time.Second, fault.RetryAfterOf(err))
		})
		assert.Equal(t, map[string]int{"deadline": 1}, l.rejected)
		urgent := request(0)
		urgent.Priority = 1
		g.within(t, 20*time.Second, urgent, func(_ batch.Response, err error) { assert.NoError(t, err, "what is behind does not count") })
		g.within(t, needed+10*time.Second, request(0), func(_ batch.Response, err error) { assert.NoError(t, err) })
		g.Wait()
	})
}

func TestBeforeAnythingWasMeasuredAllAreAdmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		g := group{q: newQueue(t, echo(10*time.Second), unbounded(batch.Options{}), l)}
		for range 5 {
			g.within(t, time.Second, request(0), func(_ batch.Response, err error) {
				assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
			})
		}
		g.Wait()
		assert.Empty(t, l.rejected)
	})
}

// slowOnce is a run that takes long the first time that it has so many rows.
func slowOnce(rows int64) batch.Run {
	slow := true
	return func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
		if slow && inputs[0].Shape[0] >= rows {
			slow = false
			return echo(time.Hour)(ctx, inputs, nil)
		}
		return echo(time.Second)(ctx, inputs, nil)
	}
}

func TestASlowRunDoesNotLockEverybodyOut(t *testing.T) {
	for _, rows := range []int64{1, 8} { // a first run, and a first large one
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			g := group{q: newQueue(t, slowOnce(rows), unbounded(batch.Options{MaxBatchSize: 8}), l)}
			_, err := g.q.Do(t.Context(), counted(int(rows)))
			require.NoError(t, err)
			for range 2000 {
				g.within(t, 60*time.Second, request(1), ignore)
				time.Sleep(time.Second / 16) // faster than one at a time
			}
			g.Wait()
			before := len(l.sizes)
			for range 9 {
				g.within(t, 20*time.Second, request(1), func(_ batch.Response, err error) { assert.NoError(t, err) })
			}
			g.Wait()
			assert.Equal(t, []int{1, 8}, l.sizes[before:])
		})
	}
}

func TestAnIdleInstanceTakesWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := batch.Options{MaxBatchSize: 8, MaxQueueDelay: time.Second, MaxQueueRequests: 9, MaxQueueBytes: 20}
		l := newLedger()
		g := group{q: newQueue(t, slowOnce(1), o, l)}
		_, err := g.q.Do(t.Context(), request(1))
		require.NoError(t, err)
		g.within(t, time.Minute, request(1), func(_ batch.Response, err error) { assert.NoError(t, err, "however long the last run took") })
		g.Wait()
		for range 2 {
			g.start(t.Context(), request(1, 2, 3, 4), func(_ batch.Response, err error) { assert.NoError(t, err, "it waits only for more to share its batch") })
		}
		g.Wait()
		assert.Equal(t, []int{1, 1, 8}, l.sizes)
	})
}

func TestARunThatHangsIsNotExpectedToEndSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		g := group{q: newQueue(t, slowOnce(2), unbounded(batch.Options{MaxBatchSize: 2}), l)}
		_, err := g.q.Do(t.Context(), request(1))
		require.NoError(t, err)
		g.start(t.Context(), request(1, 2), ignore)
		time.Sleep(time.Minute)
		g.within(t, 30*time.Second, request(1), func(_ batch.Response, err error) {
			assert.Equal(t, fault.Overloaded, fault.CodeOf(err))
			assert.Greater(t, fault.RetryAfterOf(err), 25*time.Second)
		})
		g.Wait()
	})
}
