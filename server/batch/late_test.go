package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// deaf is a run that takes as long as its first value says, in seconds, and does not
// look whether it should end.
func deaf(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
	time.Sleep(time.Duration(inputs[0].Data.([]float32)[0]) * time.Second)
	return []tensor.Named{{Name: "Y", Value: inputs[0]}}, nil
}

// A caller is answered soon after its deadline whatever its run does; the run goes on
// by itself, and its instance gets no other.
func TestARunThatDoesNotEndIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		q := newQueue(t, deaf, unbounded(batch.Options{Instances: 1}), l)
		began := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		_, err := q.Do(ctx, request(120))
		assert.Equal(t, 3250*time.Millisecond, time.Since(began))
		assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
		late := (*batch.Late)(nil)
		require.ErrorAs(t, err, &late)
		ended := make(chan time.Duration, 2)
		late.After(func() { ended <- time.Since(began) })
		assert.Equal(t, []int{1}, l.late)

		// Who comes meanwhile waits in vain, and is answered at its deadline.
		ctx, stop = context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = q.Do(ctx, request(0))
		require.Error(t, err)
		assert.NotErrorAs(t, err, new(*batch.Late))
		assert.Equal(t, 4250*time.Millisecond, time.Since(began))
		time.Sleep(10 * time.Second)
		assert.Equal(t, 11*time.Second, q.Stuck())

		_, err = q.Do(t.Context(), request(0)) // whoever can wait is served then
		require.NoError(t, err)
		assert.Equal(t, 120*time.Second, time.Since(began))
		assert.Equal(t, 120*time.Second, <-ended)
		late.After(func() { ended <- 0 })
		assert.Zero(t, <-ended, "at once, when it has ended")
		assert.Equal(t, []int{1, 0}, l.late)
		assert.Zero(t, q.Stuck())
		q.Close()
	})
}

// With another instance the requests that come are served, and are not expected to
// wait for the run that is late.
func TestOthersAreServedBesideALateRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, deaf, unbounded(batch.Options{Instances: 2}), newLedger())
		for range 10 { // what a run takes is known
			_, err := q.Do(t.Context(), request(1))
			require.NoError(t, err)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err := q.Do(ctx, request(600))
		require.ErrorAs(t, err, new(*batch.Late))
		assert.Zero(t, q.Stuck())
		time.Sleep(100 * time.Second) // the late run is expected to take as long again
		g := &group{q: q}
		for range 3 {
			within, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			g.start(within, request(1), func(_ batch.Response, err error) { assert.NoError(t, err) })
		}
		g.Wait()
		q.Close()
	})
}

// A run that ends when it is told to is no late one.
func TestARunThatEndsInTimeIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		q := newQueue(t, func(ctx context.Context, _ []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			<-ctx.Done()
			time.Sleep(200 * time.Millisecond)
			return nil, errors.New("ended")
		}, unbounded(batch.Options{Instances: 1}), l)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err := q.Do(ctx, request(1))
		assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
		assert.NotErrorAs(t, err, new(*batch.Late))
		assert.Empty(t, l.late)
		q.Close()
	})
}

// A batch that all have left is late too; its members leave as they always do.
func TestABatchThatAllHaveLeftIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		g := blocked(t, deaf, l)
		for range 2 {
			ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
			defer stop()
			g.start(ctx, request(50), func(_ batch.Response, err error) {
				assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
			})
		}
		time.Sleep(5 * time.Second)
		assert.Equal(t, 2*time.Second, g.q.Stuck())
		g.q.Close()
		g.Wait()
		assert.Equal(t, []int{1, 0}, l.late)
	})
}
