package tensor_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

// counting returns a tensor whose elements count up from 0; of BOOL every third is true.
func counting(t *testing.T, d tensor.DType, shape ...int64) *tensor.Tensor {
	t.Helper()
	n, err := tensor.Count(shape)
	require.NoError(t, err)
	data := tensor.Make(d, int(n))
	for i := range int(n) {
		switch v := reflect.ValueOf(data).Index(i); {
		case v.CanUint():
			v.SetUint(uint64(i))
		case v.CanInt():
			v.SetInt(int64(i))
		case v.CanFloat():
			v.SetFloat(float64(i))
		case v.Kind() == reflect.String:
			v.SetString(string(rune('a' + i)))
		default:
			v.SetBool(i%3 == 0)
		}
	}
	return &tensor.Tensor{DType: d, Shape: shape, Data: data}
}

func TestRowsAndConcatAreInverse(t *testing.T) {
	for d := tensor.Bool; d <= tensor.Bytes; d++ {
		all := counting(t, d, 5, 2, 3)
		parts := []*tensor.Tensor{all.Rows(0, 1), all.Rows(1, 1), all.Rows(1, 4), all.Rows(4, 5)}
		assert.Equal(t, []int64{3, 2, 3}, parts[2].Shape, d)
		assert.Equal(t, reflect.ValueOf(all.Data).Slice(6, 24).Interface(), parts[2].Data, d)
		again, err := tensor.Concat(parts, 0)
		require.NoError(t, err, d)
		assert.Equal(t, all, again, d)
	}
}

func TestConcatCopiesAndRowsView(t *testing.T) {
	a := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{2}, Data: []float32{1, 2}}
	both, err := tensor.Concat([]*tensor.Tensor{a, a}, 0)
	require.NoError(t, err)
	view := a.Rows(1, 2)
	a.Data.([]float32)[1] = 9
	assert.Equal(t, []float32{1, 2, 1, 2}, both.Data)
	assert.Equal(t, []float32{9}, view.Data)
	assert.Equal(t, 1, cap(view.Data.([]float32)), "appending to a view must not write into its neighbour")
	assert.Panics(t, func() { a.Rows(1, 3) })
}

func TestConcatOfEmptyRows(t *testing.T) {
	got, err := tensor.Concat([]*tensor.Tensor{counting(t, tensor.Int64, 0, 4), counting(t, tensor.Int64, 1, 4)}, 0)
	require.NoError(t, err)
	assert.Equal(t, counting(t, tensor.Int64, 1, 4), got)
	got, err = tensor.Concat([]*tensor.Tensor{counting(t, tensor.Int64, 2, 0), counting(t, tensor.Int64, 1, 0)}, 0)
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 0}, got.Shape)
}

func TestConcatRefusesDifferentTensors(t *testing.T) {
	a := counting(t, tensor.FP32, 2, 3)
	for _, test := range []struct {
		parts []*tensor.Tensor
		err   string
	}{
		{nil, "no tensors to concatenate"},
		{[]*tensor.Tensor{counting(t, tensor.FP32)}, "a tensor of shape [] has no axis 0 to concatenate along"},
		{[]*tensor.Tensor{a, a, counting(t, tensor.FP32, 2, 4)}, "tensor 2 is FP32[2,4], it must be FP32[2,3] but for dimension 0"},
		{[]*tensor.Tensor{a, counting(t, tensor.FP64, 2, 3)}, "tensor 1 is FP64[2,3], it must be FP32[2,3] but for dimension 0"},
		{[]*tensor.Tensor{a, counting(t, tensor.FP32, 2)}, "tensor 1 is FP32[2], it must be FP32[2,3] but for dimension 0"},
		{[]*tensor.Tensor{a, counting(t, tensor.FP32)}, "tensor 1 is FP32[], it must be FP32[2,3] but for dimension 0"},
	} {
		_, err := tensor.Concat(test.parts, 0)
		assert.EqualError(t, err, test.err)
	}
}

func TestBytes(t *testing.T) {
	for _, test := range []struct {
		of   *tensor.Tensor
		want int64
	}{
		{counting(t, tensor.FP32, 2, 3), 24},
		{counting(t, tensor.Bool, 3), 3},
		{counting(t, tensor.FP64), 8},
		{counting(t, tensor.BF16, 0, 7), 0},
		{&tensor.Tensor{DType: tensor.Bytes, Shape: []int64{2}, Data: []string{"", "four"}}, 36},
	} {
		assert.Equal(t, test.want, test.of.Bytes(), test.of.DType)
	}
}

func TestMemoryAndOverAreInverse(t *testing.T) {
	for d := tensor.Bool; d < tensor.Bytes; d++ {
		for _, n := range []int{0, 3} {
			made := &tensor.Tensor{DType: d, Shape: []int64{int64(n)}, Data: tensor.Make(d, n)}
			require.Len(t, made.Memory(), n*d.Size(), d)
			for i := range made.Memory() {
				made.Memory()[i] = 1 // which is a value of every type, BOOL too
			}
			assert.Equal(t, made.Data, tensor.Over(d, made.Memory(), n), d)
			shifted := append(make([]byte, 1, 64), made.Memory()...)
			assert.Equal(t, made.Data, tensor.Over(d, shifted[1:], n), "%s that is not aligned", d)
		}
	}
	assert.Nil(t, (&tensor.Tensor{DType: tensor.Bytes, Shape: []int64{1}, Data: []string{"a"}}).Memory())
}

// Slicing along an axis and concatenating are inverse there too, and moving an axis
// to the front gives the same slices along the first one.
func TestAnyAxis(t *testing.T) {
	for d := tensor.Bool; d <= tensor.Bytes; d++ {
		for axis, size := range []int64{2, 4, 3} {
			all := counting(t, d, 2, 4, 3)
			var parts []*tensor.Tensor
			front := all.ToFront(axis)
			assert.Equal(t, size, front.Shape[0])
			assert.Equal(t, all, front.FromFront(axis), d)
			for i := range int(size) {
				parts = append(parts, all.Slice(axis, i, i+1))
				one := front.Rows(i, i+1)
				assert.Equal(t, parts[i].Data, one.Data, "%s axis %d", d, axis)
				assert.Equal(t, parts[i], one.FromFront(axis))
			}
			again, err := tensor.Concat(parts, axis)
			require.NoError(t, err, d)
			assert.Equal(t, all, again, "%s axis %d", d, axis)
			assert.True(t, tensor.Agree(all, parts[0], axis))
			assert.Equal(t, size == 1, tensor.Agree(all, parts[0], (axis+1)%3))
		}
	}
	_, err := tensor.Concat([]*tensor.Tensor{counting(t, tensor.FP32, 2, 3), counting(t, tensor.FP32, 1, 3)}, 1)
	require.EqualError(t, err, "tensor 1 is FP32[1,3], it must be FP32[2,3] but for dimension 1")
}
