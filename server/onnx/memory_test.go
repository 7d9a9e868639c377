package onnx_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
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

// use opens a matrix, runs it once and closes it.
func use(t testing.TB, path string, o onnx.Options) {
	t.Helper()
	s, err := onnx.Open(path, o)
	require.NoError(t, err)
	in := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1, side}, Data: make([]float32, side)}
	in.Data.([]float32)[7] = 2
	outputs, err := s.Run(t.Context(), []*tensor.Tensor{in}, nil)
	require.NoError(t, err)
	require.Equal(t, float32(2), outputs[0].Value.(*tensor.Tensor).Data.([]float32)[side-1])
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
	onnx.Trim()
	many := resident(t)
	t.Logf("%.0f MiB after 5, %.0f MiB after 200", few, many)
	assert.LessOrEqual(t, many, 1.3*few)
}

// Runs come to any thread, and each thread's heap would keep what the largest took.
func TestThreadsShareHeaps(t *testing.T) {
	s := open(t, "identity_fp32")
	in := []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{1, 1000}, Data: make([]float32, 1000)}}
	const threads = 24
	together, ran := make(chan struct{}), make(chan error)
	for range threads {
		go func() {
			runtime.LockOSThread() // the thread ends with the function
			_, err := s.Run(t.Context(), in, nil)
			ran <- err
			<-together
		}()
		require.NoError(t, <-ran)
	}
	assert.Less(t, heaps(t), max(2, runtime.NumCPU()/4), "heaps of C's beside its first, with %d threads", threads)
	close(together)
}

// heaps is how many the C library has beside its first one. For each it reserves 64
// MiB at a multiple of that, uses what it needs of them and keeps the rest without
// access. Go does the same with its own, far below what mmap chooses.
func heaps(t *testing.T) (n int) {
	const size, lowest = 64 << 20, 1 << 46
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	var heap, used uint64 // where what may be a heap begins, and where what it uses ends
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		_, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode)
		require.NoError(t, err)
		switch {
		case mode == "rw-p" && from%size == 0 && from >= lowest:
			heap, used = from, to
		case mode == "---p" && from == used && to == heap+size:
			n++
		}
	}
	return n
}

func BenchmarkOpen(b *testing.B) {
	path := matrix(b, side)
	for b.Loop() {
		s, err := onnx.Open(path, onnx.Options{IntraOpThreads: 1})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}
