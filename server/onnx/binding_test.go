package onnx_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
)

func TestBindingLacksAFunction(t *testing.T) {
	require.NoError(t, onnx.CheckFunctionsWithout())
	err := onnx.CheckFunctionsWithout("GetTensorMutableData", "ReleaseOrtValue")
	require.ErrorContains(t, err, "no C function ReleaseOrtValue, GetTensorMutableData")
	assert.ErrorContains(t, err, "go back to version "+onnx.BindingVersion)
}

func TestBindingIsTheVersionThatTheTestsRun(t *testing.T) {
	required := goList(t, "{{.Version}}")
	assert.Equal(t, onnx.BindingVersion, required, "go.mod's version is bindingVersion in binding.go")
	assert.Equal(t, onnx.BindingVersion, onnx.LinkedVersion())
	require.NoError(t, onnx.CheckVersion(required))
	err := onnx.CheckVersion("v1.99.0")
	require.ErrorContains(t, err, "v1.99.0 is linked")
	assert.ErrorContains(t, err, "set bindingVersion")
}

// Compiled in one file, two declarations of a function that differ are an error.
func TestDeclarationsAgreeWithTheBindingsHeader(t *testing.T) {
	dir := goList(t, "{{.Dir}}")
	ours, err := filepath.Abs("binding.h")
	require.NoError(t, err)
	theirs := filepath.Join(dir, "onnxruntime_wrapper.h")
	out, err := compile(t, theirs, ours)
	require.NoError(t, err, out)

	text, err := os.ReadFile(ours)
	require.NoError(t, err)
	wrong := strings.Replace(string(text), "int input_count", "long input_count", 1)
	changed := filepath.Join(t.TempDir(), "binding.h")
	require.NoError(t, os.WriteFile(changed, []byte(wrong), 0o644))
	out, err = compile(t, theirs, changed)
	require.Error(t, err)
	assert.Contains(t, out, "RunOrtSessionWithOptions", "the compiler names a declaration that differs")
}

// compile checks a C file that includes two headers.
func compile(t *testing.T, first, second string) (out string, err error) {
	t.Helper()
	compiler, err := exec.CommandContext(t.Context(), "go", "env", "CC").Output()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), strings.TrimSpace(string(compiler)), "-fsyntax-only", "-x", "c", "-")
	c.Stdin = strings.NewReader(fmt.Sprintf("#include %q\n#include %q\n", first, second))
	output, err := c.CombinedOutput()
	return string(output), err
}

// goList returns what go list prints of the binding's module.
func goList(t *testing.T, format string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, onnx.BindingModule).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}
