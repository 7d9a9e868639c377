package onnx_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/tensor"
)

// An input that has an initializer may be left out: each run that leaves it out has the default again.
func TestOptionalInputs(t *testing.T) {
	s, err := onnx.Open(onnxtest.Model(t, "scaled"), onnx.Options{IntraOpThreads: 1})
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, []string{"x"}, tensor.Names(s.Inputs()))
	assert.Equal(t, []string{"scale", "shift"}, tensor.Names(s.Optional()))
	for _, spec := range s.Optional() {
		assert.True(t, spec.Optional)
		assert.Equal(t, []int64{1}, spec.Shape)
		assert.Equal(t, tensor.FP32, spec.DType)
	}
	of := func(x float32) *tensor.Tensor {
		return &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1}, Data: []float32{x}}
	}
	x := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{2, 1}, Data: []float32{1, 2}}
	for range 2 {
		for _, test := range []struct {
			inputs []*tensor.Tensor
			want   []float32
		}{
			{[]*tensor.Tensor{x}, []float32{10, 20}},
			{[]*tensor.Tensor{x, of(3), nil}, []float32{3, 6}},
			{[]*tensor.Tensor{x, nil, of(1)}, []float32{11, 21}},
			{[]*tensor.Tensor{x, of(3), of(1)}, []float32{4, 7}},
			{[]*tensor.Tensor{x, nil, nil}, []float32{10, 20}},
		} {
			got, err := s.Run(t.Context(), test.inputs, nil)
			require.NoError(t, err)
			assert.Equal(t, test.want, got[0].Value.(*tensor.Tensor).Data)
		}
	}
	_, err = s.Run(t.Context(), []*tensor.Tensor{x, of(3)}, nil)
	assert.ErrorContains(t, err, "got 2 inputs")
}

// Strings may have any bytes, also NUL.
func TestStringsOfAnyBytes(t *testing.T) {
	s, err := onnx.Open(onnxtest.Model(t, "identity_bytes"), onnx.Options{IntraOpThreads: 1})
	require.NoError(t, err)
	defer s.Close()
	for _, all := range [][]string{{"a\x00b", "", "\x00", "\xff\x00\xfe", "ü"}, {""}, {}} {
		in := &tensor.Tensor{DType: tensor.Bytes, Shape: []int64{1, int64(len(all))}, Data: all}
		got, err := s.Run(t.Context(), []*tensor.Tensor{in}, nil)
		require.NoError(t, err)
		assert.Equal(t, all, got[0].Value.(*tensor.Tensor).Data)
	}
}
