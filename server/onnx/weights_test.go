package onnx_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/tensor"
)

// external copies the model that adds the four numbers of external.data to its input.
func external(t *testing.T) (model, weights string) {
	t.Helper()
	folder := t.TempDir()
	model, weights = filepath.Join(folder, "external.onnx"), filepath.Join(folder, "external.data")
	onnxtest.Put(t, model, "external")
	content, err := os.ReadFile(filepath.Join(filepath.Dir(onnxtest.Model(t, "external")), "external.data"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(weights, content, 0o600))
	return model, weights
}

// A session answers as before whatever becomes of the files that it was opened from.
func TestASessionIsIndependentOfItsFiles(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"emptied":              func(path string) error { return os.Truncate(path, 0) },
		"cut short":            func(path string) error { return os.Truncate(path, 5) },
		"removed":              os.Remove,
		"written over":         func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte{1}, 1<<13), 0o600) },
		"written over in part": func(path string) error { return writeAt(path, []byte{1, 2, 3, 4}) },
	} {
		t.Run(name, func(t *testing.T) {
			model, weights := external(t)
			s, err := onnx.Open(model, onnx.Options{IntraOpThreads: 1})
			require.NoError(t, err)
			maps, err := os.ReadFile("/proc/self/maps")
			require.NoError(t, err)
			assert.NotContains(t, string(maps), filepath.Dir(model))
			for _, path := range []string{weights, model} {
				require.NoError(t, change(path))
				out := runOne(t, s, of[float32](t, []int64{1, 4}, 0, 10, 20, 30))
				assert.Equal(t, []float32{1, 12, 23, 34}, out.(*tensor.Tensor).Data)
			}
			require.NoError(t, s.Close())
		})
	}
}

func writeAt(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt(content, 0)
	return err
}

// Weights that change while they are read make the load fail at most.
func TestWeightsThatShrinkWhileTheyAreRead(t *testing.T) {
	model, weights := external(t)
	whole, err := os.ReadFile(weights)
	require.NoError(t, err)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				assert.NoError(t, os.Truncate(weights, 8))
				assert.NoError(t, writeAt(weights, whole))
			}
		}
	})
	failed := 0
	for range 500 {
		s, err := onnx.Open(model, onnx.Options{IntraOpThreads: 1})
		if err != nil {
			failed++
			continue
		}
		require.NoError(t, s.Close())
	}
	close(stop)
	writing.Wait()
	t.Logf("%d of 500 loads failed", failed)
}

// External weights count as the memory of the session that holds them.
func TestExternalWeightsAreCounted(t *testing.T) {
	model, _ := external(t)
	before := onnx.MemoryInUse()
	onnx.LimitMemory(before + 15)
	defer onnx.LimitMemory(math.MaxInt64)
	refused := onnx.MemoryRefused()
	_, err := onnx.Open(model, onnx.Options{IntraOpThreads: 1, ExternalBytes: 16})
	require.ErrorContains(t, err, "cannot allocate memory")
	assert.Equal(t, refused+1, onnx.MemoryRefused())

	onnx.LimitMemory(math.MaxInt64)
	s, err := onnx.Open(model, onnx.Options{IntraOpThreads: 1, ExternalBytes: 16})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, onnx.MemoryInUse(), before+16)
	require.NoError(t, s.Close())
	assert.Equal(t, before, onnx.MemoryInUse())
}
