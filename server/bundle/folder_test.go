package bundle_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bundle"
)

func open(t *testing.T, path string) *bundle.Folder {
	t.Helper()
	f, err := bundle.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{"five": "12345", "d/x": ""})
	require.NoError(t, syscall.Mkfifo(filepath.Join(path, "pipe"), 0o600))
	require.NoError(t, os.Symlink("pipe", filepath.Join(path, "linked")))
	require.NoError(t, os.Symlink("/proc/self/environ", filepath.Join(path, "out")))
	require.NoError(t, os.Symlink("../..", filepath.Join(path, "up")))
	require.NoError(t, os.Symlink("five", filepath.Join(path, "in")))
	require.NoError(t, os.Symlink("out", filepath.Join(path, "twice")))
	require.NoError(t, os.Symlink("round", filepath.Join(path, "round")))
	f := open(t, path)
	for name, want := range map[string]string{
		"five": "", "in": "", "d/../five": "",
		"pipe": "is a named pipe; expected a file", "linked": "is a named pipe", "d": "is a folder; expected a file",
		"absent": "no such file", "out": "leads out of", "twice": "leads out of", "up/x": "leads out of", "../x": "leads out of", "round": "too many levels",
	} {
		text, err := f.ReadFile(name, 5)
		if want == "" {
			require.NoError(t, err, name)
			assert.Equal(t, "12345", string(text))
			continue
		}
		require.ErrorContains(t, err, want, name)
		require.ErrorContains(t, err, filepath.Join(path, name))
	}
	_, err := f.ReadFile("five", 4)
	require.ErrorContains(t, err, "more than 4 bytes")
	assert.True(t, f.Has("round"))
	assert.True(t, f.Has("up/x"), "what can't be looked at may be there")
	assert.False(t, f.Has("absent"))
}

// A folder that has very many entries is refused, and so is a bundle of very many files.
func TestFoldersAreBounded(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for i := range 10_001 {
		require.NoError(t, os.Symlink("x", filepath.Join(path, strconv.Itoa(i))))
	}
	f := open(t, path)
	_, _, err := f.ReadDir(".")
	require.ErrorContains(t, err, "more than 10000 entries")

	path = write(t, map[string]string{"model.onnx": "", ".files/x": "", ".links/x": ""})
	for i := range 25 { // links multiply files
		require.NoError(t, os.WriteFile(filepath.Join(path, ".files", strconv.Itoa(i)), nil, 0o600))
		require.NoError(t, os.Symlink("../.files", filepath.Join(path, ".links", strconv.Itoa(i))))
		require.NoError(t, os.Symlink(".links", filepath.Join(path, strconv.Itoa(i))))
	}
	_, err = open(t, path).Files(".")
	require.ErrorContains(t, err, "more than 10000 files and folders")

	path = t.TempDir()
	for depth := range 8 { // folders without a file
		require.NoError(t, os.MkdirAll(filepath.Join(path, fmt.Sprint(".", depth+1)), 0o755))
		for i := range 50 {
			in := filepath.Join(path, fmt.Sprint(".", depth))
			if depth == 0 {
				in = path
			}
			require.NoError(t, os.Symlink(filepath.Join(path, fmt.Sprint(".", depth+1)), filepath.Join(in, strconv.Itoa(i))))
		}
	}
	_, err = open(t, path).Files(".")
	require.ErrorContains(t, err, "more than 10000 files and folders")
}
