package onnxtest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestRepository(t *testing.T) {
	dir := Repository(t, map[string]string{"iris/1/model.onnx": "constant_1", "iris/2/model.onnx": "constant_2"})
	for path, model := range map[string]string{"iris/1/model.onnx": "constant_1", "iris/2/model.onnx": "constant_2"} {
		got, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(Model(t, model))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not %s", path, model)
		}
	}
}
