//go:build conformance

package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// python runs a program of the folder python, and passes its output through.
func python(t *testing.T, environment []string, args ...string) {
	t.Helper()
	interpreter, err := filepath.Abs(build + "/venv-conformance/bin/python")
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), interpreter, append([]string{"-B"}, args...)...)
	command.Dir = "python"
	command.Env = append(os.Environ(), environment...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	require.NoError(t, command.Run(), "python %v; see its output above", args)
}

// pytest runs a file of tests against a server.
func pytest(t *testing.T, s *server, file string) {
	t.Helper()
	python(t, []string{
		"SLIPWAY_HTTP=" + s.HTTP, "SLIPWAY_GRPC=" + s.GRPC, "SLIPWAY_ADMIN=" + s.Admin, "SLIPWAY_MODELS=" + s.models,
	}, "-m", "pytest", "-p", "no:cacheprovider", "--quiet", "--no-header", "--tb", "short", file)
}
