package onnx_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
	"slipway/server/tensor"
)

// The matrix of this side takes 10 MB.
const side = 1600

// resident is the process's memory, in MiB.
func resident(t testing.TB) float64 {
	t.Helper()
	debug.FreeOSMemory() // Go's own part
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(statm), &size, &pages)
	require.NoError(t, err)
	return float64(pages*os.Getpagesize()) / (1 << 20)
}

// use opens a matrix, asks it once and closes it.
func use(t testing.TB, path string, o onnx.Options) {
	t.Helper()
	s, err := onnx.Open(path, o)
	require.NoError(t, err)
	in := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1, side}, Data: make([]float32, side)}
	in.Data.([]float32)[7] = 2
	answer, err := s.Run(t.Context(), []*tensor.Tensor{in}, nil)
	require.NoError(t, err)
	require.Equal(t, float32(2), answer[0].Value.(*tensor.Tensor).Data.([]float32)[side-1])
	require.NoError(t, s.Close())
	onnx.Trim()
}

func TestMemoryAfterManyLoads(t *testing.T) {
	if testing.Short() {
		t.Skip("200 loads take seconds")
	}
	path := matrix(t, side)
	var few float64
	for i := range 200 {
		use(t, path, onnx.Options{IntraOpThreads: 2})
		if i == 4 {
			few = resident(t)
		}
	}
	many := resident(t)
	t.Logf("%.0f MiB after 5, %.0f MiB after 200", few, many)
	assert.LessOrEqual(t, many, 1.3*few)
}

func BenchmarkOpen(b *testing.B) {
	path := matrix(b, side)
	for b.Loop() {
		s, err := onnx.Open(path, onnx.Options{IntraOpThreads: 1})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}
