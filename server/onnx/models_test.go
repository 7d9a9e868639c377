package onnx_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
	"slipway/server/tensor"
)

// The binding's own test models come with its source: strings, half precision,
// several types, inputs and outputs, a scalar output, a name in three scripts.
func TestModelsOfTheBinding(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(goList(t, "{{.Dir}}"), "test_data", "*.onnx"))
	require.NoError(t, err)
	require.NotEmpty(t, models)
	localeOfTheImage(t)
	for _, path := range models {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if testing.Short() && filepath.Base(path) == "example_big_compute.onnx" {
				t.Skip("takes seconds")
			}
			s, err := onnx.Open(path, onnx.Options{IntraOpThreads: 1})
			require.NoError(t, err)
			defer func() { assert.NoError(t, s.Close()) }()
			inputs := make([]*tensor.Tensor, len(s.Inputs()))
			for i, spec := range s.Inputs() {
				inputs[i] = zeros(t, spec)
			}
			outputs, err := s.Run(t.Context(), inputs, nil)
			require.NoError(t, err)
			require.Len(t, outputs, len(s.Outputs()))
			for i, spec := range s.Outputs() {
				assert.Equal(t, spec.Name, outputs[i].Name)
				checkOutput(t, spec, outputs[i].Value)
			}
		})
	}
}

// localeOfTheImage gives the C library the locale en_US.UTF-8 as the Dockerfile does, of the system's C.UTF-8.
func localeOfTheImage(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(folder, "en_US.utf8"), os.DirFS("/usr/lib/locale/C.utf8")))
	t.Setenv("LOCPATH", folder)
}

// zeros returns an input of that spec, two long where the model leaves a dimension open.
func zeros(t *testing.T, spec tensor.Spec) *tensor.Tensor {
	t.Helper()
	shape := make([]int64, len(spec.Shape))
	for i, d := range spec.Shape {
		shape[i] = d
		if d < 0 {
			shape[i] = 2
		}
	}
	n, err := tensor.Count(shape)
	require.NoError(t, err)
	return &tensor.Tensor{DType: spec.DType, Shape: shape, Data: tensor.Make(spec.DType, int(n))}
}

// checkOutput compares an output with what the model declares.
func checkOutput(t *testing.T, spec tensor.Spec, v tensor.Value) {
	t.Helper()
	if spec.Kind != tensor.KindTensor {
		assert.IsType(t, map[tensor.Kind]tensor.Value{tensor.KindSequence: tensor.Sequence{}, tensor.KindMap: tensor.Map{}}[spec.Kind], v)
		return
	}
	got, ok := v.(*tensor.Tensor)
	require.True(t, ok, "%T", v)
	require.NoError(t, spec.Check(got))
	n, err := tensor.Count(got.Shape)
	require.NoError(t, err)
	assert.Equal(t, &tensor.Tensor{DType: spec.DType, Shape: got.Shape, Data: got.Data}, got)
	assert.Len(t, got.Data, int(n))
}
