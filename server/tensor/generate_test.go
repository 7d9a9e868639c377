package tensor_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

func TestGeneratorMakesEveryType(t *testing.T) {
	for d := tensor.Bool; d <= tensor.Bytes; d++ {
		zeros, err := tensor.Generator{}.Tensor(d, []int64{2, 8})
		require.NoError(t, err, d)
		assert.Equal(t, tensor.Make(d, 16), zeros.Data, d)
		first, err := tensor.Generator{Random: rand.New(rand.NewPCG(1, 2)), Integers: 100}.Tensor(d, []int64{2, 8})
		require.NoError(t, err, d)
		again, err := tensor.Generator{Random: rand.New(rand.NewPCG(1, 2)), Integers: 100}.Tensor(d, []int64{2, 8})
		require.NoError(t, err, d)
		assert.Equal(t, first, again, "%s: the same seed makes the same data", d)
		assert.NotEqual(t, zeros.Data, first.Data, d)
	}
	_, err := tensor.Generator{}.Tensor(tensor.Invalid, nil)
	assert.Error(t, err)
	_, err = tensor.Generator{}.Tensor(tensor.FP32, []int64{-1})
	assert.Error(t, err)
}

func TestGeneratorKeepsIntegersBelowTheBound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for integers, most := range map[int64]float64{0: 1, 5: 4} {
		for d := tensor.Int8; d <= tensor.FP64; d++ {
			made, err := tensor.Generator{Random: random, Integers: integers}.Tensor(d, []int64{200})
			require.NoError(t, err)
			for i := range made.Len() {
				x, ok := made.Float(i)
				require.True(t, ok)
				require.True(t, x >= 0 && x <= max(most, 1), "%s %v", d, x)
			}
		}
	}
}

func TestGeneratorMakesFloatsOfSevenDigits(t *testing.T) {
	made, err := tensor.Generator{Random: rand.New(rand.NewPCG(5, 6))}.Tensor(tensor.FP64, []int64{200})
	require.NoError(t, err)
	for _, x := range made.Data.([]float64) {
		require.Equal(t, math.Round(x*1e7)/1e7, x)
	}
}

func TestClosed(t *testing.T) {
	spec := tensor.Spec{Shape: []int64{-1, 3, -1, 0}}
	assert.Equal(t, []int64{4, 3, 1, 0}, spec.Closed(4))
	assert.Equal(t, []int64{1, 3, 1, 0}, spec.Closed(0))
	assert.Equal(t, []int64{}, tensor.Spec{}.Closed(2))
}
