package tensor_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

func TestCount(t *testing.T) {
	for _, test := range []struct {
		shape []int64
		want  int64
		err   string
	}{
		{[]int64{}, 1, ""},
		{[]int64{2, 3}, 6, ""},
		{[]int64{2, 0, math.MaxInt64}, 0, ""},
		{[]int64{-1, 2}, 0, "dimension 0 is negative"},
		{[]int64{0, -2}, 0, "dimension 1 is negative"},
		{[]int64{math.MaxInt64, 2}, 0, "overflows"},
		{[]int64{1 << 32, 1 << 32}, 0, "overflows"},
	} {
		got, err := tensor.Count(test.shape)
		if test.err != "" {
			assert.ErrorContains(t, err, test.err)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, test.want, got)
	}
}

func TestNewCountsItsData(t *testing.T) {
	_, err := tensor.New([]int64{2, 2}, []float32{1, 2, 3})
	assert.EqualError(t, err, "shape [2,2] has 4 elements, the data has 3")
}

func TestDTypesHaveNamesSizesAndData(t *testing.T) {
	for d := tensor.Bool; d <= tensor.Bytes; d++ {
		parsed, ok := tensor.ParseDType(d.String())
		assert.True(t, ok)
		assert.Equal(t, d, parsed)
		assert.NotNil(t, tensor.Make(d, 1), d)
		assert.Equal(t, d == tensor.Bytes, d.Size() == 0)
	}
	_, ok := tensor.ParseDType("INVALID")
	assert.False(t, ok)
	assert.Equal(t, tensor.FP16, tensor.DTypeOf[tensor.Float16]())
	assert.Equal(t, tensor.Uint16, tensor.DTypeOf[uint16]())
}

func TestHalves(t *testing.T) {
	for _, x := range []float32{0, 1, -2.5, 65504, float32(math.Inf(1))} {
		assert.Equal(t, x, tensor.ToFloat16(x).Float32())
	}
	for _, x := range []float32{0, 1, -2.5, float32(math.Inf(-1))} {
		assert.Equal(t, x, tensor.ToBFloat16(x).Float32())
	}
	assert.Equal(t, float32(1), tensor.ToBFloat16(1+1.0/512).Float32(), "halfway rounds to even")
	assert.Equal(t, float32(1+1.0/64), tensor.ToBFloat16(1+3.0/256).Float32(), "halfway rounds to even")
	assert.True(t, math.IsNaN(float64(tensor.ToBFloat16(math.Float32frombits(0x7f800001)).Float32())))
}

func TestSpecCheckNamesActualAndExpected(t *testing.T) {
	spec := tensor.Spec{Name: "X", DType: tensor.FP32, Shape: []int64{-1, 4}}
	at := func(d tensor.DType, shape ...int64) *tensor.Tensor { return &tensor.Tensor{DType: d, Shape: shape} }
	require.NoError(t, spec.Check(at(tensor.FP32, 7, 4)))
	assert.EqualError(t, spec.Check(at(tensor.FP64, 7, 4)), `input "X": got datatype FP64, expected FP32`)
	assert.EqualError(t, spec.Check(at(tensor.FP32, 4)), `input "X": got shape [4] of rank 1, expected [-1,4] of rank 2`)
	assert.EqualError(t, spec.Check(at(tensor.FP32, 1, 5)), `input "X": got shape [1,5], expected [-1,4]: dimension 1 is 5 instead of 4`)
	spec.Shape = nil
	assert.NoError(t, spec.Check(at(tensor.FP32, 9, 9, 9)), "only the run can check an open rank")
}

func TestElementsAsNumbersAndText(t *testing.T) {
	for _, test := range []struct {
		tensor *tensor.Tensor
		float  float64
		number bool
		text   string
	}{
		{&tensor.Tensor{DType: tensor.Bool, Data: []bool{true}}, 0, false, "true"},
		{&tensor.Tensor{DType: tensor.Int8, Data: []int8{-7}}, -7, true, "-7"},
		{&tensor.Tensor{DType: tensor.Int64, Data: []int64{math.MinInt64}}, math.MinInt64, true, "-9223372036854775808"},
		{&tensor.Tensor{DType: tensor.Uint64, Data: []uint64{math.MaxUint64}}, math.MaxUint64, true, "18446744073709551615"},
		{&tensor.Tensor{DType: tensor.FP16, Data: []tensor.Float16{tensor.ToFloat16(0.1)}}, 0.0999755859375, true, "0.099975586"},
		{&tensor.Tensor{DType: tensor.BF16, Data: []tensor.BFloat16{tensor.ToBFloat16(2)}}, 2, true, "2"},
		{&tensor.Tensor{DType: tensor.FP32, Data: []float32{0.1}}, float64(float32(0.1)), true, "0.1"},
		{&tensor.Tensor{DType: tensor.FP64, Data: []float64{1e300}}, 1e300, true, "1e+300"},
		{&tensor.Tensor{DType: tensor.Bytes, Data: []string{"a b"}}, 0, false, "a b"},
	} {
		assert.Equal(t, 1, test.tensor.Len())
		x, ok := test.tensor.Float(0)
		assert.Equal(t, test.number, ok, test.tensor.DType)
		assert.Equal(t, test.float, x, test.tensor.DType)
		assert.Equal(t, test.text, test.tensor.Text(0), test.tensor.DType)
		assert.Equal(t, test.tensor.DType.IsFloat(), test.tensor.DType >= tensor.FP16 && test.number, test.tensor.DType)
	}
	assert.True(t, tensor.Uint64.IsInteger())
	assert.False(t, tensor.Bool.IsInteger() || tensor.FP16.IsInteger())
}
