package scripts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree copies what scripts/pins reads and writes, and stands in for Docker: each
// pull answers with the output of the shell command.
func tree(t *testing.T, pull string) (folder string, environment []string) {
	t.Helper()
	folder = t.TempDir()
	for _, name := range []string{
		"Dockerfile", "go.mod", "README.md", "CONTRIBUTING.md",
		"scripts/lib.sh", "scripts/pins", "scripts/protobuf", "scripts/tools", "scripts/offline/image",
	} {
		content, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		write(t, filepath.Join(folder, name), string(content))
	}
	write(t, filepath.Join(folder, "scripts/engine"), "#!/bin/sh\n")
	write(t, filepath.Join(folder, "bin/docker"), "#!/bin/sh\n"+pull+"\n")
	return folder, []string{"PATH=" + filepath.Join(folder, "bin") + ":" + os.Getenv("PATH"), "SLIPWAY_CACHE=" + t.TempDir()}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o755)) //nolint:gosec // scripts among them
}

func TestPinsRefusesTwoVersionsOfGo(t *testing.T) {
	for what, test := range map[string]struct{ file, old, replacement, want string }{
		"the same everywhere":      {"go.mod", "", "", "without a digest: "},
		"another toolchain":        {"go.mod", "toolchain go1.26.", "toolchain go1.27.", "the Dockerfile does not: set GO_BASE"},
		"no toolchain":             {"go.mod", "toolchain ", "// ", "go.mod has no toolchain line"},
		"another image of Go":      {"Dockerfile", "GO_BASE=golang:1.26.", "GO_BASE=golang:1.25.", "the Dockerfile does not: set GO_BASE"},
		"another Go in the README": {"README.md", "Go 1.26", "Go 1.25", "other versions stand in: README.md:"},
	} {
		t.Run(what, func(t *testing.T) {
			folder, environment := tree(t, "exit 1")
			file := filepath.Join(folder, test.file)
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Contains(t, string(content), test.old)
			write(t, file, strings.Replace(string(content), test.old, test.replacement, 1))
			out, err := run(t, environment, filepath.Join(folder, "scripts/pins"), "--check")
			assert.Equal(t, test.old == "", err == nil, out)
			assert.Contains(t, out, test.want)
		})
	}
}

func TestPinsWritesTheDigestOfEachTag(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	folder, environment := tree(t, "echo Digest: "+digest)
	for range 2 { // a pin is replaced, too
		out, err := run(t, environment, filepath.Join(folder, "scripts/pins"))
		require.NoError(t, err, out)
	}
	content, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	require.NoError(t, err)
	assert.Equal(t, strings.Count(string(content), "_BASE="), strings.Count(string(content), "@"+digest+"\n"))
	assert.Contains(t, string(content), "ARG SERVER_BASE=gcr.io/distroless/cc-debian12:nonroot@"+digest+"\n")
	out, err := run(t, environment, filepath.Join(folder, "scripts/pins"), "--check")
	require.NoError(t, err, out)
	assert.NotContains(t, out, "without a digest")
}

func TestPinsChangesNothingWithoutARegistry(t *testing.T) {
	folder, environment := tree(t, "exit 1")
	before, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	require.NoError(t, err)
	out, err := run(t, environment, filepath.Join(folder, "scripts/pins"))
	require.Error(t, err)
	assert.Contains(t, out, "its registry can't be reached")
	after, err := os.ReadFile(filepath.Join(folder, "Dockerfile"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}
