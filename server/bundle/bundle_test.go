package bundle_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bundle"
)

const digest = "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a" // of m

// write fills a folder with files, by their path in it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return folder
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, expected := range map[string]struct{ hidden, manifest bool }{
		"model.onnx": {}, "": {}, "tmp": {}, "w.tmp.bin": {}, "lost": {}, "MANIFEST.jsonx": {}, "manifest.json": {}, "w/MANIFEST.json": {},
		".DS_Store": {hidden: true}, "..data": {hidden: true}, "lost+found": {hidden: true}, "w.tmp": {hidden: true}, "w.partial": {hidden: true},
		"MANIFEST.json": {manifest: true}, "MANIFEST.json.sig": {manifest: true},
	} {
		assert.Equal(t, expected.hidden, bundle.Hidden(name), name)
		assert.Equal(t, expected.manifest, bundle.IsManifest(name), name)
	}
	for name, expected := range map[string]int64{"1": 1, "20": 20, "0": 0, "01": 0, "+1": 0, "-1": 0, "1.0": 0, "v1": 0, "": 0, "9223372036854775808": 0} {
		version, ok := bundle.ParseVersion(name)
		assert.Equal(t, expected > 0, ok, name)
		if ok {
			assert.Equal(t, expected, version)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("d/", bundle.MaxDepth)
	for name, problem := range map[string]string{
		"w/0.bin": "", "größe": "", "a:b": "", deep + "w": "",
		"d/" + deep + "w": "more than 8 folders deep",
		"../w":            "leads out", "/w": "leads out", "w/": "leads out", ".": "leads out", "a//b": "leads out", "": "leads out",
		`a\b`: "without backslashes", "a\nb": "control characters", "a\xff": "must be UTF-8",
		"w/.x": "rename it", "w.tmp/x": "rename it",
	} {
		err := bundle.CheckFiles([]string{bundle.ModelFile, name})
		if problem == "" {
			assert.NoError(t, err, name)
		} else {
			assert.ErrorContains(t, err, problem, name)
		}
	}
	assert.ErrorContains(t, bundle.CheckFiles([]string{"w"}), "with a model.onnx, which this one lacks")
}

func TestManifest(t *testing.T) {
	t.Parallel()
	m, err := bundle.ParseManifest([]byte(`{"by": "me", "files": {"model.onnx": "SHA256:` + strings.ToUpper(digest) + `", "w": "` + digest + `"}}`))
	require.NoError(t, err)
	assert.Equal(t, bundle.Manifest{"model.onnx": digest, "w": digest}, m)
	assert.Empty(t, m.Missing(func(string) bool { return true }))
	assert.Equal(t, "w", m.Missing(func(name string) bool { return name == "model.onnx" }))

	text, err := json.Marshal(m)
	require.NoError(t, err)
	again, err := bundle.ParseManifest(text)
	require.NoError(t, err)
	assert.Equal(t, m, again)

	assert.NoError(t, m.Verify(map[string]string{"model.onnx": digest, "w": digest, "MANIFEST.json": "x", "MANIFEST.json.sig": "x"}))
	err = m.Verify(map[string]string{"model.onnx": "other", "more": digest})
	for _, problem := range []string{"the SHA-256 of model.onnx is other", "names w, which the bundle does not have", "does not name more, which is there"} {
		assert.ErrorContains(t, err, problem)
	}
	for text, problem := range map[string]string{
		`{`: "unexpected end", `[]`: "cannot unmarshal", `{}`: `no "files"`, `{"files": {}}`: `no "files"`,
		`{"files": {"w": "md5:00"}}`:                            `files["w"]: expected sha256: and 64`,
		`{"files": {"w.tmp": "` + digest + `"}}`:                "no reader looks",
		`{"files": {"../w": "` + digest + `"}}`:                 "leads out",
		`{"files": {"MANIFEST.json.sig": "` + digest + `"}}`:    "neither itself nor its signature",
		`{"files": {"w": "sha256:sha256:` + digest[:50] + `"}}`: "expected sha256: and 64",
	} {
		_, err := bundle.ParseManifest([]byte(text))
		assert.ErrorContains(t, err, problem, text)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"files": {"model.onnx": "sha256:` + digest + `"}}`))
	f.Add([]byte(`{"files": {"../w": ""}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := bundle.ParseManifest(text)
		if err != nil {
			return
		}
		for name, digest := range m {
			assert.NoError(t, bundle.CheckPath(name))
			assert.Len(t, digest, 64)
		}
	})
}

func TestFiles(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{"model.onnx": "m", "weights/0.bin": "w", ".x": "x", "w.tmp": "t", "lost+found/x": "l"})
	require.NoError(t, os.Symlink("weights", filepath.Join(folder, "linked")))
	names, err := bundle.Files(folder)
	require.NoError(t, err)
	assert.Equal(t, []string{"linked/0.bin", "model.onnx", "weights/0.bin"}, names)

	for problem, spoil := range map[string]func(folder string) error{
		"does a link lead in a circle": func(folder string) error { return os.Symlink(".", filepath.Join(folder, "circle")) },
		"no such file":                 func(folder string) error { return os.Symlink("nowhere", filepath.Join(folder, "broken")) },
		"neither a file nor a folder":  func(folder string) error { return syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600) },
		"must be UTF-8":                func(folder string) error { return os.WriteFile(filepath.Join(folder, "a\xff"), nil, 0o600) },
		"without backslashes":          func(folder string) error { return os.Mkdir(filepath.Join(folder, `a\b`), 0o755) },
	} {
		folder := write(t, map[string]string{"model.onnx": "m"})
		require.NoError(t, spoil(folder))
		_, err := bundle.Files(folder)
		assert.ErrorContains(t, err, problem)
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	folder := write(t, map[string]string{"model.onnx": "m", "w": "m"})
	digests, err := bundle.Digests(t.Context(), folder)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"model.onnx": digest, "w": digest}, digests)
	before := bundle.Fingerprint(digests)
	digests["v"] = digests["w"]
	delete(digests, "w")
	assert.NotEqual(t, before, bundle.Fingerprint(digests), "a name is part of it")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = bundle.Digests(ctx, folder)
	require.ErrorIs(t, err, context.Canceled)
}

// TestDigesterRemembers keeps the digest of a large file that looks the same, and
// reads one again that has changed.
func TestDigesterRemembers(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("m", 1<<20)
	folder := write(t, map[string]string{"large": large, "small": "m"})
	hourAgo := time.Now().Add(-time.Hour)
	rewrite := func(name, content string, at time.Time) {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chtimes(path, at, at))
	}
	rewrite("large", large, hourAgo)
	rewrite("small", "m", hourAgo)
	opened, err := bundle.Open(folder)
	require.NoError(t, err)
	defer opened.Close()
	var d bundle.Digester
	look := func() map[string]string {
		files, err := d.Files(t.Context(), opened, ".", []string{"large", "small"})
		require.NoError(t, err)
		return bundle.ByName(files)
	}
	first := look()
	rewrite("large", "n"+large[1:], hourAgo)
	rewrite("small", "n", hourAgo)
	second := look()
	assert.Equal(t, first["large"], second["large"], "size, time and inode are the same")
	assert.NotEqual(t, first["small"], second["small"], "a small file is read each time")
	rewrite("large", "n"+large[1:], hourAgo.Add(time.Second))
	assert.NotEqual(t, first["large"], look()["large"])
	require.NoError(t, os.Remove(filepath.Join(folder, "large")))
	d.Forget()
	_, err = d.Files(t.Context(), opened, ".", []string{"large"})
	require.Error(t, err)
}

// TestDigesterReadsFewSmallFilesEachTime bounds what is read of very many small files
// each time.
func TestDigesterReadsFewSmallFilesEachTime(t *testing.T) {
	t.Parallel()
	folder, hourAgo := t.TempDir(), time.Now().Add(-time.Hour)
	var names []string
	for i := range 80 {
		names = append(names, strconv.Itoa(100+i))
		path := filepath.Join(folder, names[i])
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Truncate(path, 1<<20-1))
		require.NoError(t, os.Chtimes(path, hourAgo, hourAgo))
	}
	var d bundle.Digester
	look := func() map[string]string {
		files, err := d.Files(t.Context(), open(t, folder), ".", names)
		require.NoError(t, err)
		return bundle.ByName(files)
	}
	first := look()
	for _, name := range []string{"100", "179"} {
		path := filepath.Join(folder, name)
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = file.WriteString("x")
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.NoError(t, os.Chtimes(path, hourAgo, hourAgo))
	}
	second := look()
	assert.NotEqual(t, first["100"], second["100"])
	assert.Equal(t, first["179"], second["179"])
}
