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

// testModels lays every test model under its own name, and under names of their
// own those that a client needs in another way.
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
		case "corrupt", "external": // is none; is one only with the file beside it
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

// Each client's own process talks to the one server: two of them could not live
// in one, for both bring the protocol's messages along.
func TestClients(t *testing.T) {
	models := testModels(t)
	python(t, nil, "lay.py", "identities", models)
	s := serve(t, models, "")
	s.ready(t)
	for _, file := range []string{"test_tritonclient_http.py", "test_tritonclient_grpc.py", "test_kserve.py", "test_encodings.py"} {
		t.Run(file, func(t *testing.T) { pytest(t, s, file) })
	}
}

// The models that ONNX Runtime refuses are part of the test, so the server does
// not become ready; the program waits for the index.
func TestNodes(t *testing.T) {
	models := t.TempDir()
	python(t, nil, "lay.py", "nodes", models)
	pytest(t, serve(t, models, "repository: {control: none}\nonnxruntime: {intraOpThreads: 1}\n"), "test_nodes.py")
}
