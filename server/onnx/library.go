package onnx

// #include "runtime.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

const libraryName = "libonnxruntime.so.1"

// environment is the process's one OrtEnv. The binding holds another reference to
// it, which its Go API does not hand out.
var environment *C.OrtEnv

// Init checks the binding and loads ONNX Runtime's shared library, once for the
// process. With an empty path it searches beside the binary, where the image and
// the Makefile install the library.
func Init(path string) error {
	if err := checkBinding(); err != nil {
		return err
	}
	if path == "" {
		found, err := findLibrary()
		if err != nil {
			return err
		}
		path = found
	}
	// The library reports its use to its maker as soon as it starts, unless this is
	// set; a server in a closed network must not try.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("load ONNX Runtime: %w", err)
	}
	tuneMalloc()
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("load ONNX Runtime from %s: %w", path, err)
	}
	if err := findRuntime(path); err != nil {
		return errors.Join(fmt.Errorf("load ONNX Runtime from %s: %w", path, err), ort.DestroyEnvironment())
	}
	name := C.CString("slipway")
	defer C.free(unsafe.Pointer(name))
	if err := statusError(C.CreateOrtEnv(name, &environment)); err != nil {
		return errors.Join(fmt.Errorf("load ONNX Runtime from %s: %w", path, err), ort.DestroyEnvironment())
	}
	if err := errors.Join(installAllocator(), readExternalWeights()); err != nil {
		return errors.Join(fmt.Errorf("load ONNX Runtime from %s: %w", path, err), Close())
	}
	return nil
}

// findRuntime looks up the functions of the library that the binding does not have.
func findRuntime(library string) error {
	path := C.CString(library)
	defer C.free(unsafe.Pointer(path))
	if C.FindRuntime(path) == 0 {
		return errors.New("it has no OrtGetApiBase, or not the version of its interface that this server needs")
	}
	return nil
}

// Close unloads the library. Every session must be closed before.
func Close() error {
	C.ReleaseOrtEnv(environment)
	environment = nil
	return ort.DestroyEnvironment()
}

// Version returns the version of the loaded library.
func Version() string { return ort.GetVersion() }

// findLibrary looks in ../lib and lib from the binary's folder.
func findLibrary() (string, error) {
	binary, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find ONNX Runtime: %w", err)
	}
	if real, err := filepath.EvalSymlinks(binary); err == nil {
		binary = real
	}
	var tried []string
	for _, dir := range []string{"../lib", "lib"} {
		candidate := filepath.Join(filepath.Dir(binary), dir, libraryName)
		_, err := os.Stat(candidate)
		if err == nil {
			return candidate, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("find ONNX Runtime: %w", err)
		}
		tried = append(tried, candidate)
	}
	return "", fmt.Errorf("find ONNX Runtime: no library at %s; run scripts/onnxruntime or set onnxruntime.library",
		strings.Join(tried, " or "))
}
