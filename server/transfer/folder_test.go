package transfer_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
)

func openFolder(t *testing.T, name string) *transfer.Folder {
	t.Helper()
	f, err := transfer.OpenFolder(name)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, f.Close()) })
	return f
}

// put writes a file and fails the test if that fails.
func put(t *testing.T, f *transfer.Folder, name, content string) {
	t.Helper()
	size, digest, err := f.Write(t.Context(), name, strings.NewReader(content))
	require.NoError(t, err)
	assert.Equal(t, int64(len(content)), size)
	assert.Equal(t, sum(content), digest)
}

func read(t *testing.T, f *transfer.Folder, name string) string {
	t.Helper()
	content, err := f.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

// TestModes can't run beside others: the umask is the process's.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root := filepath.Join(t.TempDir(), "a/b")
	f := openFolder(t, root)
	put(t, f, ".stage/1/weights/w.bin", "w")
	require.NoError(t, f.Install(".stage/1", "iris/1"))
	temporary, err := f.MkdirTemp(".temporary-")
	require.NoError(t, err)
	for name, mode := range map[string]fs.FileMode{
		"..": 0o755, ".": 0o755, "iris": 0o755, "iris/1": 0o755, "iris/1/weights": 0o755, "iris/1/weights/w.bin": 0o644, temporary: 0o755,
	} {
		info, err := os.Stat(filepath.Join(root, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), name)
	}
}

func TestInstall(t *testing.T) {
	f := openFolder(t, t.TempDir())
	put(t, f, ".stage/1/model.onnx", "one")
	require.NoError(t, f.Install(".stage/1", "iris/1"))
	assert.Equal(t, "one", read(t, f, "iris/1/model.onnx"))

	put(t, f, ".stage/1/model.onnx", "two")
	require.ErrorIs(t, f.Install(".stage/1", "iris/1"), fs.ErrExist)
	assert.Equal(t, "one", read(t, f, "iris/1/model.onnx"), "what stands there was replaced")

	require.NoError(t, f.Replace(".stage/1", "iris/1", ".old"))
	assert.Equal(t, "two", read(t, f, "iris/1/model.onnx"))

	put(t, f, ".stage/config.yaml", "a")
	require.NoError(t, f.Replace(".stage/config.yaml", "iris/config.yaml", ".old"))
	put(t, f, ".stage/config.yaml", "b")
	require.NoError(t, f.Replace(".stage/config.yaml", "iris/config.yaml", ".old"))
	assert.Equal(t, "b", read(t, f, "iris/config.yaml"))

	require.ErrorIs(t, f.Replace(".stage/none", "iris/1", ".old"), fs.ErrNotExist)
	assert.Equal(t, "two", read(t, f, "iris/1/model.onnx"), "what was put aside is not back")
}

// TestNothingLeadsOut has names and links that point outside of the folder.
func TestNothingLeadsOut(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	f := openFolder(t, inside)
	require.NoError(t, os.Symlink(outside, filepath.Join(inside, "link")))
	for _, name := range []string{"../x", "link/x", "/x", "a/../../x"} {
		_, _, err := f.Write(t.Context(), name, strings.NewReader("x"))
		assert.Error(t, err, name)
	}
	put(t, f, "x", "x")
	require.Error(t, f.Install("x", "link/x"))
	require.Error(t, f.Install("x", "../x"))
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWriteFails(t *testing.T) {
	f := openFolder(t, t.TempDir())
	_, _, err := f.Write(t.Context(), "a", iotest.ErrReader(io.ErrUnexpectedEOF))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	put(t, f, "b", "b")
	_, _, err = f.Write(t.Context(), "b", strings.NewReader("c"))
	require.ErrorIs(t, err, fs.ErrExist, "a file is written once")
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	_, _, err = f.Write(ctx, "c", strings.NewReader("c"))
	require.ErrorIs(t, err, stopped)
}

func TestSweep(t *testing.T) {
	root := t.TempDir()
	f := openFolder(t, root)
	for _, name := range []string{".stage-1", ".stage-2", "other"} {
		put(t, f, name+"/w", "w")
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{".stage-1", "other"} {
		require.NoError(t, os.Chtimes(filepath.Join(root, name), old, old))
	}
	require.NoError(t, f.Sweep(".stage-", time.Hour))
	assert.False(t, f.Exists(".stage-1"))
	assert.True(t, f.Exists(".stage-2"), "somebody may be at work on it")
	assert.True(t, f.Exists("other"))
}

// TestOpenFolderBehindALink has the folder itself be a link, as a mount may be.
func TestOpenFolderBehindALink(t *testing.T) {
	target, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(target, link))
	put(t, openFolder(t, link), "a", "a")
	assert.FileExists(t, filepath.Join(target, "a"))
	require.NoError(t, os.Symlink("nowhere", link+"2"))
	_, err := transfer.OpenFolder(link + "2")
	require.Error(t, err)
	_, err = transfer.OpenFolder(filepath.Join(target, "a"))
	require.Error(t, err, "a file is no folder")
}
