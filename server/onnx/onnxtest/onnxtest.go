// Package onnxtest gives tests ONNX Runtime's library and the models of
// testdata, which scripts/models makes and describes.
package onnxtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"slipway/server/onnx"
)

// Main runs a package's tests with ONNX Runtime loaded; call it from TestMain.
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	library, err := Library()
	if err == nil {
		err = onnx.Init(library)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := onnx.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// Library returns the path of ONNX Runtime's shared library in the checkout.
func Library() (string, error) {
	root, err := findRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".build", "lib", "libonnxruntime.so.1")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find ONNX Runtime: %w; run scripts/onnxruntime", err)
	}
	return path, nil
}

// Model returns the path of a model of testdata, named without .onnx.
func Model(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(root(t), "server", "onnx", "onnxtest", "testdata", name+".onnx")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no test model %q: %v", name, err)
	}
	return path
}

// Iris returns the repository that the image carries, with the one model iris.
func Iris(t testing.TB) string {
	t.Helper()
	return filepath.Join(root(t), "server", "models")
}

// Repository writes a folder of models, which the test removes at its end: files
// has the name of a test model for each path, {"iris/1/model.onnx": "constant_1"}.
func Repository(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, model := range files {
		Put(t, filepath.Join(dir, filepath.FromSlash(path)), model)
	}
	return dir
}

// Put copies a test model to path and replaces a file that is there.
func Put(t testing.TB, path, model string) {
	t.Helper()
	data, err := os.ReadFile(Model(t, model))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func root(t testing.TB) string {
	t.Helper()
	dir, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// findRoot returns the checkout: the nearest folder above the test's with a go.mod.
func findRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s", start)
		}
	}
}
