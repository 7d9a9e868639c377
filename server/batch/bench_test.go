package batch_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/tensor"
)

type silent struct{}

func (silent) Depth(int, int64)                   {}
func (silent) Waited(time.Duration)               {}
func (silent) Ran(int, int, time.Duration, error) {}
func (silent) Rejected(string)                    {}
func (silent) Canceled(string)                    {}
func (silent) BatchingRefused(error)              {}
func (silent) Late(int)                           {}

// tiny takes no time of its own.
func tiny(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
	return []tensor.Named{{Name: "Y", Value: inputs[0]}}, nil
}

// spin burns about as much of a core as a small model.
func spin(fixed, perRow time.Duration) batch.Run {
	return func(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
		end := time.Now().Add(fixed + time.Duration(inputs[0].Shape[0])*perRow)
		for time.Now().Before(end) {
		}
		return []tensor.Named{{Name: "Y", Value: inputs[0]}}, nil
	}
}

// hammer shares b.N requests among callers.
func hammer(b *testing.B, run batch.Run, o batch.Options, callers int) {
	b.ReportAllocs()
	var runs atomic.Int64
	q := newQueue(b, func(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
		runs.Add(1)
		return run(ctx, inputs, outputs)
	}, unbounded(o), silent{})
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	var all sync.WaitGroup
	turns := make(chan struct{}, b.N)
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	b.ResetTimer()
	for range callers {
		all.Go(func() {
			r := request(1, 2, 3, 4)
			r.Inputs[0].Shape = []int64{1, 4}
			for range turns {
				if _, err := q.Do(ctx, r); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	q.Close()
	b.ReportMetric(float64(b.N)/float64(runs.Load()), "rows/run")
}

func BenchmarkDoIdle(b *testing.B) {
	for name, size := range map[string]int{"plain": 0, "batching": 32} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			q := newQueue(b, tiny, unbounded(batch.Options{MaxBatchSize: size}), silent{})
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			r := request(1, 2, 3, 4)
			for b.Loop() {
				_, err := q.Do(ctx, r)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkDoContended(b *testing.B) {
	hammer(b, tiny, batch.Options{}, 16)
}

func BenchmarkBatch(b *testing.B) {
	for name, run := range map[string]batch.Run{"tiny": tiny, "100us+2us": spin(100*time.Microsecond, 2*time.Microsecond), "1ms+20us": spin(time.Millisecond, 20*time.Microsecond)} {
		b.Run(name, func(b *testing.B) {
			hammer(b, run, batch.Options{MaxBatchSize: 64}, 64)
		})
	}
}
