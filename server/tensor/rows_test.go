package tensor_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/tensor"
)

// A sequence with one tensor for each target has its rows along the first axis of the
// tensors, which is the second of the whole.
func TestRowsOfASequence(t *testing.T) {
	targets := tensor.Sequence{counting(t, tensor.FP32, 2, 3), counting(t, tensor.FP32, 2, 1)}
	rows, ok := tensor.RowsOf(targets, 1)
	assert.True(t, ok)
	assert.Equal(t, 2, rows)
	one := tensor.SliceOf(targets, 1, 1, 2).(tensor.Sequence)
	assert.Equal(t, []float32{3, 4, 5}, one[0].(*tensor.Tensor).Data)
	assert.Equal(t, []float32{1}, one[1].(*tensor.Tensor).Data)
	assert.Equal(t, tensor.Sequence{
		tensor.Sequence{
			&tensor.Tensor{DType: tensor.FP32, Shape: []int64{3}, Data: []float32{0, 1, 2}},
			&tensor.Tensor{DType: tensor.FP32, Shape: []int64{1}, Data: []float32{0}},
		},
		tensor.Sequence{
			&tensor.Tensor{DType: tensor.FP32, Shape: []int64{3}, Data: []float32{3, 4, 5}},
			&tensor.Tensor{DType: tensor.FP32, Shape: []int64{1}, Data: []float32{1}},
		},
	}, tensor.RowsFirst(targets, 1))
	_, ok = tensor.RowsOf(tensor.Sequence{counting(t, tensor.FP32, 2), counting(t, tensor.FP32, 3)}, 1)
	assert.False(t, ok, "the elements disagree")
	_, ok = tensor.RowsOf(tensor.Map{}, 0)
	assert.False(t, ok)
}

func TestRowsOfATensor(t *testing.T) {
	states := counting(t, tensor.Int64, 2, 3, 1)
	rows, ok := tensor.RowsOf(states, 1)
	assert.True(t, ok)
	assert.Equal(t, 3, rows)
	assert.Equal(t, []int64{3, 2, 1}, tensor.RowsFirst(states, 1).(*tensor.Tensor).Shape)
	assert.Equal(t, []int64{0, 3, 1, 4, 2, 5}, tensor.RowsFirst(states, 1).(*tensor.Tensor).Data)
	_, ok = tensor.RowsOf(states, 3)
	assert.False(t, ok)
}

func TestRowAxis(t *testing.T) {
	var unknown tensor.RowAxis
	assert.Zero(t, unknown.Axis())
	assert.Equal(t, 2, tensor.RowsAt(2).Axis())
	assert.NotEqual(t, unknown, tensor.RowsAt(0))
	assert.Zero(t, tensor.NoRows.Axis())
}
