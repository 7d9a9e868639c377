package onnx_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/tensor"
)

// slowly runs the model slow, which takes that many milliseconds.
func slowly(ctx context.Context, s *onnx.Session, n int64) ([]tensor.Named, error) {
	return s.Run(ctx, []*tensor.Tensor{{DType: tensor.Int64, Shape: []int64{1}, Data: []int64{n}}}, nil)
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := open(t, "slow")
	gone := errors.New("the client has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
	began := time.Now()
	_, err := slowly(ctx, s, 60_000)
	require.ErrorIs(t, err, gone)
	assert.ErrorContains(t, err, "terminate flag", "what the runtime reported")
	assert.Less(t, time.Since(began), 20*time.Second)

	outputs, err := slowly(t.Context(), s, 1)
	require.NoError(t, err, "the session goes on working, with the same run options")
	assert.Equal(t, []int64{1}, outputs[0].Value.(*tensor.Tensor).Data)

	_, err = slowly(ctx, s, 1)
	require.ErrorIs(t, err, gone, "a run does not begin when its context is over")
}

func TestRunEndsAtItsDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := slowly(ctx, open(t, "slow"), 60_000)
	assert.Equal(t, fault.DeadlineExceeded, fault.CodeOf(err))
}

// Contexts end before, in and after the runs: an end that comes late must not
// reach the next run with the same run state.
func TestContextsThatEndAtAnyMoment(t *testing.T) {
	s := open(t, "slow")
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 150 {
				ctx, cancel := context.WithCancel(t.Context())
				timer := time.AfterFunc(time.Duration(i*worker)*7*time.Microsecond, cancel)
				if _, err := slowly(ctx, s, 1); err != nil {
					assert.ErrorIs(t, err, context.Canceled)
				}
				_, err := slowly(t.Context(), s, 0)
				assert.NoError(t, err)
				timer.Stop()
				cancel()
			}
		})
	}
	all.Wait()
}
