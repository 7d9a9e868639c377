package batch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/tensor"
)

// A recurrent network's states have their rows along the second axis, behind the layers.
func TestRowsAlongAnotherAxis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states := func(data ...float32) *tensor.Tensor {
			return &tensor.Tensor{DType: tensor.FP32, Shape: []int64{2, int64(len(data) / 2), 1}, Data: data}
		}
		l, fail := newLedger(), true
		run := func(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			time.Sleep(time.Second)
			if inputs[0].Shape[0] > 2 && fail { // the copies are cut along the same axes
				fail = false
				return nil, assert.AnError
			}
			return []tensor.Named{{Name: "y", Value: inputs[0]}, {Name: "h", Value: inputs[1]}, {Name: "s", Value: tensor.Sequence{inputs[1].ToFront(1)}}}, nil
		}
		q := newQueue(t, run, unbounded(batch.Options{
			MaxBatchSize: 8, InputAxes: []int{0, 1}, OutputAxes: map[string]int{"h": 1, "s": 1},
		}), l)
		g := &group{q: q}
		for n := range 5 {
			i := float32(n)
			r := batch.Request{Inputs: []*tensor.Tensor{vector(i), states(i, 10*i)}}
			g.start(t.Context(), r, func(a batch.Response, err error) {
				require.NoError(t, err)
				assert.Equal(t, vector(i), a.Outputs[0].Value)
				assert.Equal(t, states(i, 10*i), a.Outputs[1].Value)
				assert.Equal(t, tensor.Sequence{states(i, 10*i).ToFront(1)}, a.Outputs[2].Value)
			})
		}
		_, err := q.Do(t.Context(), batch.Request{Inputs: []*tensor.Tensor{vector(1), states(1, 2, 3, 4)}})
		require.ErrorContains(t, err, "input 2 of 2 has 2 rows, input 1 has 1")
		_, err = q.Do(t.Context(), batch.Request{Inputs: []*tensor.Tensor{vector(1), {DType: tensor.FP32, Shape: []int64{2}, Data: []float32{1, 2}}}})
		require.ErrorContains(t, err, "input 2 of 2 has shape [2]; with batching it needs dimension 1")
		g.Wait()
		assert.Empty(t, l.refused)
		assert.Contains(t, l.sizes, 4)
	})
}
