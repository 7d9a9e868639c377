package fetch_test

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

// files are a folder's, by their path in it.
type files map[string]string

func (f files) write(t *testing.T, folder string) {
	t.Helper()
	for name, content := range f {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}

// readable returns the files of a repository that a reader looks at.
func readable(t *testing.T, folder string) files {
	t.Helper()
	all := files{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			name, err := filepath.Rel(folder, path)
			require.NoError(t, err)
			all[name] = string(content)
		}
		return nil
	}))
	return all
}

// inodes returns those of a repository's files and folders that a reader looks at.
func inodes(t *testing.T, folder string) map[string]uint64 {
	t.Helper()
	all := map[string]uint64{}
	for name := range readable(t, folder) {
		for ; name != "."; name = filepath.Dir(name) {
			info, err := os.Stat(filepath.Join(folder, name))
			require.NoError(t, err)
			all[name] = info.Sys().(*syscall.Stat_t).Ino
		}
	}
	return all
}

// journal is a log that goroutines may write to.
type journal struct {
	mu sync.Mutex
	bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Buffer.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Buffer.String()
}

// options retry at once and close a stalled connection soon.
func options(log *journal) fetch.Options {
	return fetch.Options{
		Retries: 3, Backoff: time.Millisecond, Stall: 2 * time.Second, Insecure: true,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
}

func run(t *testing.T, from, to string, change ...func(*fetch.Options)) (fetch.Report, error) {
	t.Helper()
	var log journal
	o := options(&log)
	for _, f := range change {
		f(&o)
	}
	report, err := fetch.Fetch(t.Context(), from, to, o)
	t.Log(log.String())
	if err == nil {
		for _, left := range []string{"parts", "tree", "old"} {
			folder := to
			if strings.HasSuffix(to, ".onnx") {
				folder = filepath.Dir(to)
			}
			assert.NoDirExists(t, filepath.Join(folder, ".fetch", left))
		}
	}
	return report, err
}

func named(model string, version int64) func(*fetch.Options) {
	return func(o *fetch.Options) { o.Model, o.Version = model, version }
}

func withSHA256(sum string) func(*fetch.Options) {
	return func(o *fetch.Options) { o.SHA256 = sum }
}
