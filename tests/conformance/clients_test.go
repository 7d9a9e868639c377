//go:build conformance

package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

// testModels writes a repository with every test model under its own name, and
// with those that a client needs in another form under further names.
func testModels(t *testing.T) string {
	t.Helper()
	known, err := filepath.Glob(filepath.Join(filepath.Dir(onnxtest.Model(t, "add_sub")), "*.onnx"))
	require.NoError(t, err)
	files := map[string]string{
		"batched/1/model.onnx":       "identity_fp32",
		"loadable_grpc/1/model.onnx": "constant_1",
		"loadable_http/1/model.onnx": "constant_1",
		"versions/1/model.onnx":      "constant_1",
		"versions/2/model.onnx":      "constant_2",
	}
	for _, path := range known {
		switch name := strings.TrimSuffix(filepath.Base(path), ".onnx"); name {
		case "corrupt", "external": // no model; a model that needs a second file
		default:
			files[name+"/1/model.onnx"] = name
		}
	}
	dir := onnxtest.Repository(t, files)
	write := func(path, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	write("versions/config.yaml", "versions: {all: true}\n")
	write("batched/config.yaml", "batching: {maxBatchSize: 8}\n")
	return dir
}

// TestClients runs each client in a process of its own against one server: two
// clients cannot share a process, because both register the protocol's messages.
func TestClients(t *testing.T) {
	models := testModels(t)
	python(t, nil, "write_models.py", "identities", models)
	s := serve(t, models, "")
	s.ready(t)
	for _, file := range []string{"test_tritonclient_http.py", "test_tritonclient_grpc.py", "test_kserve.py", "test_encodings.py"} {
		t.Run(file, func(t *testing.T) { pytest(t, s, file) })
	}
}

// TestNodes includes models that ONNX Runtime refuses, so the server does not
// become ready; the Python test waits for the repository index instead.
func TestNodes(t *testing.T) {
	models := t.TempDir()
	python(t, nil, "write_models.py", "nodes", models)
	pytest(t, serve(t, models, "repository: {control: none}\nonnxruntime: {intraOpThreads: 1}\n"), "test_nodes.py")
}
