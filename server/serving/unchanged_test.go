package serving_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/repository"
	"slipway/server/serving"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// Files that were found, proved and served are the same: one that has changed in
// between is the end of the load.
func TestAFileThatChangesWhileItIsLoadedIsNotServed(t *testing.T) {
	for name, o := range map[string]serving.Options{"in a trial": {Trials: trials(t, trial.Options{})}, "without trials": {}} {
		for _, changed := range []string{"model.onnx", "external.data", "golden.ndjson"} {
			t.Run(name+" "+changed, func(t *testing.T) {
				folder := t.TempDir()
				version := filepath.Join(folder, "m", "1")
				installExternal(t, version)
				path := filepath.Join(version, changed)
				content, err := os.ReadFile(path)
				if err != nil {
					content = []byte("\n")
				}
				require.NoError(t, os.WriteFile(path, content, 0o600))
				state, err := repository.Scan(folder)
				require.NoError(t, err)
				content[len(content)-1]++
				require.NoError(t, os.WriteFile(path, content, 0o600))
				c, _ := newCatalog(t, folder, o)
				c.Apply(t.Context(), state)
				require.ErrorContains(t, c.Ready(), "has changed")
				require.NoError(t, c.LoadAll(t.Context()), "the next scan finds what there is")
				if changed == "external.data" {
					require.NoError(t, c.Ready())
				}
			})
		}
	}
}

// A version answers as it was proved, whatever becomes of its files.
func TestAVersionIsIndependentOfItsFiles(t *testing.T) {
	folder := t.TempDir()
	version := filepath.Join(folder, "m", "1")
	installExternal(t, version)
	c, _ := newCatalog(t, folder, serving.Options{})
	require.NoError(t, c.LoadAll(t.Context()))
	v, err := c.Acquire("m", "")
	require.NoError(t, err)
	defer v.Release()
	for _, change := range []func(path string) error{
		func(path string) error { return os.WriteFile(path, []byte("0123456789abcdef"), 0o600) },
		func(path string) error { return os.Truncate(path, 0) },
		os.Remove,
	} {
		for _, name := range []string{"external.data", "model.onnx"} {
			require.NoError(t, change(filepath.Join(version, name)))
		}
		x := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1, 4}, Data: []float32{0, 10, 20, 30}}
		response, err := v.Infer(t.Context(), serving.Request{Inputs: []tensor.Named{{Name: v.Inputs[0].Name, Value: x}}})
		require.NoError(t, err)
		assert.Equal(t, []float32{1, 12, 23, 34}, response.Outputs[0].Value.(*tensor.Tensor).Data)
	}
}

// Golden answers that a version has not reproduced are not handed out as its own.
func TestGoldenAnswersThatHaveChanged(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("2")}, "")
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	file, err := v.OpenGolden()
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, os.WriteFile(filepath.Join(folder, "m/1/golden.ndjson"), []byte(goldenLine("3")), 0o600))
	_, err = v.OpenGolden()
	require.ErrorContains(t, err, "has changed")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
}

// A trial proves the files that the scan found, not what came after them.
func TestAProofIsOfTheFilesThatWereFound(t *testing.T) {
	folder := t.TempDir()
	version := filepath.Join(folder, "m", "1")
	installExternal(t, version)
	m, known, err := repository.ScanModel(t.Context(), folder, "m")
	require.NoError(t, err)
	require.True(t, known)
	r := trial.Request{Bundle: m.Bundles[0], Settings: m.Config, IntraOpThreads: 1}
	_, err = serving.Prove(t.Context(), r, trial.Progress{})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(version, "external.data"), []byte("0123456789abcdef"), 0o600))
	_, err = serving.Prove(t.Context(), r, trial.Progress{})
	require.ErrorContains(t, err, "has changed")
}
