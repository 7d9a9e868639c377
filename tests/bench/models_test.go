//go:build bench

package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/bench"
	"slipway/server/codec"
	"slipway/server/tensor"
)

// model is one under load, with a request and ONNX Runtime's response to it.
type model struct {
	name, file        string
	request, response string // files
}

// real is a model that scripts/bench-models fetched.
func real(t *testing.T, name string, r *codec.Request) *model {
	t.Helper()
	return ready(t, name, filepath.Join(root, ".build", "bench-models", name, "1", "model.onnx"), r)
}

// made is a dense network of these widths.
func made(t *testing.T, name string, widths []int64, r *codec.Request) *model {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".onnx")
	require.NoError(t, os.WriteFile(file, denseNetwork(widths), 0o644))
	return ready(t, name, file, r)
}

// iris is the model that the image carries.
func iris(t *testing.T) *model {
	t.Helper()
	return ready(t, "iris", filepath.Join(root, "server", "models", "iris", "1", "model.onnx"), floats("X", 1, 4))
}

func ready(t *testing.T, name, file string, r *codec.Request) *model {
	t.Helper()
	dir := t.TempDir()
	m := &model{name: name, file: file, request: filepath.Join(dir, "request.json"), response: filepath.Join(dir, "response.json")}
	require.NoError(t, os.WriteFile(m.request, codec.AppendRequest(nil, r), 0o644))
	out, err := command(t.Context(), allCores, "bench-bare", "--library", library(), "--model", m.file,
		"--data", m.request, "--response", m.response).Output()
	require.NoError(t, err, string(out))
	return m
}

// floats is a request of one input with random numbers of seven digits.
func floats(name string, shape ...int64) *codec.Request {
	return synthetic(tensor.Spec{Name: name, DType: tensor.FP32, Shape: shape})
}

func synthetic(specs ...tensor.Spec) *codec.Request {
	r, err := bench.Synthetic{Seed: 1}.Request(specs)
	if err != nil {
		panic(err) // the shapes are written above
	}
	return r
}

// speech is a chunk of sound for Silero VAD, at 16 kHz.
func speech() *codec.Request {
	r := synthetic(
		tensor.Spec{Name: "input", DType: tensor.FP32, Shape: []int64{1, 512}},
		tensor.Spec{Name: "state", DType: tensor.FP32, Shape: []int64{2, 1, 128}},
		tensor.Spec{Name: "sr", DType: tensor.Int64, Shape: []int64{}},
	)
	r.Inputs[2].Value.(*tensor.Tensor).Data = []int64{16000}
	return r
}

// repository is a folder with models, each under its name with its settings.
func repository(t *testing.T, settings string, models ...*model) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range models {
		put(t, dir, m, 1)
		if settings != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, m.name, "config.yaml"), []byte(settings), 0o644))
		}
	}
	return dir
}

// put installs a whole version: under another name first.
func put(t *testing.T, repository string, m *model, version int) {
	t.Helper()
	at := filepath.Join(repository, m.name, number(version))
	part := filepath.Join(repository, m.name, ".part")
	require.NoError(t, os.MkdirAll(part, 0o755))
	body, err := os.ReadFile(m.file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(part, "model.onnx"), body, 0o644))
	require.NoError(t, os.Rename(part, at))
}
