package serving

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// An input with a default that is given must agree with the others.
func TestDimensionsOfInputsWithADefault(t *testing.T) {
	spec := func(name string) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.FP32, Shape: []int64{-1}, Dims: []string{"batch"}}
	}
	given := func(name string, size int64) tensor.Named {
		return tensor.Named{Name: name, Value: &tensor.Tensor{DType: tensor.FP32, Shape: []int64{size}, Data: make([]float32, size)}}
	}
	v := candidate{Inputs: []tensor.Spec{spec("x")}, Optional: []tensor.Spec{spec("scale"), spec("shift")}}
	v.shared = sharedDimensions(v.Accepts())
	for _, inputs := range [][]tensor.Named{
		{given("x", 3)}, {given("x", 3), given("shift", 3)}, {given("scale", 3), given("x", 3), given("shift", 3)},
	} {
		_, _, err := v.order(inputs)
		require.NoError(t, err)
	}
	_, _, err := v.order([]tensor.Named{given("x", 3), given("shift", 2)})
	require.ErrorContains(t, err, `input "shift": dimension 0 (batch) is 2, that of input "x" is 3`)
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
}
