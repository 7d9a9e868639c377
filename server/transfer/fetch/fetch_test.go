package fetch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

func TestLayouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		source  files
		model   string
		version int64
		want    files // nil: an error
		problem string
	}{
		"a repository": {
			source: files{"iris/config.yaml": "c", "iris/1/model.onnx": "one", "iris/2/model.onnx": "two", "mnist.onnx": "m", "bare/model.onnx": "b"},
			want:   files{"iris/config.yaml": "c", "iris/1/model.onnx": "one", "iris/2/model.onnx": "two", "mnist.onnx": "m", "bare/model.onnx": "b"},
		},
		"a model's versions": {
			source: files{"1/model.onnx": "one", "2/model.onnx": "two", "config.yaml": "c"}, model: "iris",
			want: files{"iris/1/model.onnx": "one", "iris/2/model.onnx": "two", "iris/config.yaml": "c"},
		},
		"a bundle": {
			source: files{"model.onnx": "m", "golden.ndjson": "g", "weights/0.bin": "w"}, model: "iris", version: 7,
			want: files{"iris/7/model.onnx": "m", "iris/7/golden.ndjson": "g", "iris/7/weights/0.bin": "w"},
		},
		"a bundle without a version": {source: files{"model.onnx": "m"}, model: "iris", want: files{"iris/1/model.onnx": "m"}},
		"hidden files stay":          {source: files{"iris/1/model.onnx": "m", ".DS_Store": "d", "iris/._x": "x"}, want: files{"iris/1/model.onnx": "m"}},
		"a bundle of nobody":         {source: files{"model.onnx": "m"}, problem: "--model NAME"},
		"versions of nobody":         {source: files{"3/model.onnx": "m"}, problem: "--model NAME"},
		"a version for versions":     {source: files{"3/model.onnx": "m"}, model: "iris", version: 2, problem: "leave --version out"},
		"a name for many":            {source: files{"a.onnx": "m"}, model: "iris", problem: "leave --model out"},
		"no model":                   {source: files{"readme.md": "r"}, problem: "MODEL/VERSION/model.onnx"},
		"nothing":                    {source: files{".hidden": "r"}, problem: "nothing there"},
		"a wrong name":               {source: files{"model.onnx": "m"}, model: "../iris", problem: `model name "../iris": must not`},
		"a version alone":            {source: files{"model.onnx": "m"}, version: 1, problem: "--model NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), filepath.Join(t.TempDir(), "repository")
			test.source.write(t, from)
			for _, source := range []string{from, "file://" + from} {
				_, err := run(t, source, to, named(test.model, test.version))
				if test.problem != "" {
					require.ErrorContains(t, err, test.problem)
					assert.NoFileExists(t, filepath.Join(to, "iris", "1", "model.onnx"))
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, test.want, readable(t, to))
			}
		})
	}
}

func TestSingleFile(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	files{"iris.onnx": "m", "model.onnx": "x", "text.txt": "t"}.write(t, from)
	for name, test := range map[string]struct {
		source, to string
		model      string
		want       files
		problem    string
	}{
		"by its own name":    {source: "iris.onnx", want: files{"iris.onnx": "m"}},
		"by a model's name":  {source: "iris.onnx", model: "flower", want: files{"flower/1/model.onnx": "m"}},
		"as the file named":  {source: "model.onnx", to: "a/b.onnx", want: files{"a/b.onnx": "x"}},
		"model.onnx alone":   {source: "model.onnx", problem: "--model NAME"},
		"a file and a model": {source: "iris.onnx", to: "b.onnx", model: "flower", problem: "has no place"},
		"a folder as a file": {source: "", to: "b.onnx", problem: "names a file"},
		"another kind":       {source: "text.txt", problem: "neither a folder nor"},
		"not there":          {source: "none.onnx", problem: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := t.TempDir()
			_, err := run(t, filepath.Join(from, test.source), filepath.Join(to, test.to), named(test.model, 0))
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			if test.to != "" {
				to = filepath.Join(to, filepath.Dir(test.to))
				test.want = files{filepath.Base(test.to): test.want[test.to]}
			}
			assert.Equal(t, test.want, readable(t, to))
		})
	}
}

func TestWhatIsThereIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	files{"iris/1/model.onnx": "one", "iris/2/model.onnx": "two", "iris/config.yaml": "c"}.write(t, from)
	report, err := run(t, from, to)
	require.NoError(t, err)
	assert.Equal(t, fetch.Report{Fetched: 3, Bytes: 7}, report)
	report, err = run(t, from, to)
	require.NoError(t, err)
	assert.Equal(t, fetch.Report{Present: 3}, report)

	t.Run("a new version alone", func(t *testing.T) {
		before, err := os.Stat(filepath.Join(to, "iris/1"))
		require.NoError(t, err)
		files{"iris/3/model.onnx": "three"}.write(t, from)
		report, err := run(t, from, to)
		require.NoError(t, err)
		assert.Equal(t, fetch.Report{Fetched: 1, Present: 3, Bytes: 5}, report)
		after, err := os.Stat(filepath.Join(to, "iris/1"))
		require.NoError(t, err)
		assert.True(t, os.SameFile(before, after), "an unchanged version was replaced")
	})
	t.Run("a file changed on the disk", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(to, "iris/2/model.onnx"), []byte("2wo"), 0o644))
		report, err := run(t, from, to)
		require.NoError(t, err)
		assert.Equal(t, fetch.Report{Fetched: 1, Present: 3, Bytes: 3}, report)
		assert.Equal(t, "two", readable(t, to)["iris/2/model.onnx"])
	})
	t.Run("a file added and a file changed at the source", func(t *testing.T) {
		files{"iris/1/golden.ndjson": "g", "iris/1/model.onnx": "uno!"}.write(t, from)
		report, err := run(t, from, to)
		require.NoError(t, err)
		assert.Equal(t, fetch.Report{Fetched: 2, Present: 3, Bytes: 5}, report)
		assert.Equal(t, files{
			"iris/1/model.onnx": "uno!", "iris/1/golden.ndjson": "g", "iris/2/model.onnx": "two", "iris/3/model.onnx": "three", "iris/config.yaml": "c",
		}, readable(t, to))
	})
	t.Run("another name", func(t *testing.T) {
		report, err := run(t, filepath.Join(from, "iris"), to, named("rose", 0))
		require.NoError(t, err)
		assert.Equal(t, 5, report.Fetched)
		assert.Equal(t, "uno!", readable(t, to)["rose/1/model.onnx"])
	})
}

// TestWhatAnInterruptedRunLeft is removed by the next run, and not served.
func TestWhatAnInterruptedRunLeft(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	files{"iris/1/model.onnx": "m"}.write(t, from)
	files{".fetch/tree/iris/1/model.onnx": "half", ".fetch/old/x/model.onnx": "old", ".fetch/parts/00": "part"}.write(t, to)
	_, err := run(t, from, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": "m"}, readable(t, to))
}

// TestAMountedConfigMap is of links to a folder behind ..data, which the server
// follows.
func TestAMountedConfigMap(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	files{"..2026_01_01/iris/1/model.onnx": "m"}.write(t, from)
	require.NoError(t, os.Symlink("..2026_01_01", filepath.Join(from, "..data")))
	require.NoError(t, os.Symlink("..data/iris", filepath.Join(from, "iris")))
	_, err := run(t, from, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": "m"}, readable(t, to))
}

// TestAnotherFormOfTheModel is in the destination.
func TestAnotherFormOfTheModel(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	files{"iris.onnx": "m"}.write(t, from)
	files{"iris/1/model.onnx": "m"}.write(t, to)
	_, err := run(t, from, to)
	require.ErrorContains(t, err, "has a folder of the model iris")
	_, err = run(t, to, from)
	require.ErrorContains(t, err, "has a file of the model iris")
}

func TestBareAndVersionsClash(t *testing.T) {
	t.Parallel()
	bare, versioned := t.TempDir(), t.TempDir()
	files{"iris/model.onnx": "b"}.write(t, bare)
	files{"iris/1/model.onnx": "v"}.write(t, versioned)
	to := t.TempDir()
	_, err := run(t, bare, to)
	require.NoError(t, err)
	_, err = run(t, versioned, to)
	require.ErrorContains(t, err, "beside its versions; remove it")
	to = t.TempDir()
	_, err = run(t, versioned, to)
	require.NoError(t, err)
	_, err = run(t, bare, to)
	require.ErrorContains(t, err, "move that into a version's folder")
	assert.Equal(t, files{"iris/1/model.onnx": "v"}, readable(t, to))
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

func TestManifest(t *testing.T) {
	t.Parallel()
	good := fmt.Sprintf(`{"files": {"model.onnx": "sha256:%s"}}`, sum("m"))
	for name, test := range map[string]struct {
		manifest string
		more     files
		problem  string
	}{
		"right":             {manifest: good},
		"with a signature":  {manifest: good, more: files{"iris/1/MANIFEST.json.sig": "s"}},
		"of another":        {manifest: fmt.Sprintf(`{"files": {"model.onnx": "sha256:%s"}}`, sum("n")), problem: "iris/1/model.onnx has sha256 " + sum("m") + ", expected " + sum("n")},
		"a file too many":   {manifest: good, more: files{"iris/1/more.bin": "s"}, problem: "iris/1/MANIFEST.json: does not name more.bin"},
		"a file is missing": {manifest: fmt.Sprintf(`{"files": {"model.onnx": "sha256:%s", "w.bin": "sha256:%s"}}`, sum("m"), sum("w")), problem: "iris/1/w.bin is named"},
		"not JSON":          {manifest: "{", problem: "iris/1/MANIFEST.json: unexpected end"},
		"no files":          {manifest: "{}", problem: `no "files"`},
		"no sum":            {manifest: `{"files": {"model.onnx": "md5:00"}}`, problem: `files["model.onnx"]`},
		"leads out":         {manifest: fmt.Sprintf(`{"files": {"../2/model.onnx": "sha256:%s"}}`, sum("m")), problem: "leads out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), t.TempDir()
			files{"iris/1/model.onnx": "old"}.write(t, to)
			files{"iris/1/model.onnx": "m", "iris/1/MANIFEST.json": test.manifest}.write(t, from)
			test.more.write(t, from)
			_, err := run(t, from, to)
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				assert.Equal(t, files{"iris/1/model.onnx": "old"}, readable(t, to))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "m", readable(t, to)["iris/1/model.onnx"])
		})
	}
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	files{"iris.onnx": "m", "more/a.onnx": "a", "more/b.onnx": "b"}.write(t, from)
	for name, test := range map[string]struct{ source, sum, problem string }{
		"right":        {"iris.onnx", sum("m"), ""},
		"with prefix":  {"iris.onnx", "sha256:" + sum("m"), ""},
		"of another":   {"iris.onnx", sum("n"), "iris.onnx has sha256 " + sum("m")},
		"not a sum":    {"iris.onnx", "12", "expected 64 hexadecimal digits"},
		"of a folder":  {"more", sum("m"), "publish a MANIFEST.json"},
		"no such file": {"none.onnx", sum("m"), "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := t.TempDir()
			_, err := run(t, filepath.Join(from, test.source), to, withSHA256(test.sum))
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				assert.Empty(t, readable(t, to))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, files{"iris.onnx": "m"}, readable(t, to))
		})
	}
}

func TestWrongSources(t *testing.T) {
	t.Parallel()
	for source, problem := range map[string]string{
		"ftp://host/model.onnx":                      `scheme "ftp" is none of`,
		"file://host/folder":                         "file:///host/folder",
		"s3://":                                      "no bucket",
		"s3://bucket/prefix?what=1":                  `unknown query parameter "what"`,
		"https://host/folder":                        "a web server has no folders",
		"oci://host/Upper:1":                         "invalid",
		"oci://host/models/iris":                     "add :TAG",
		"https://u:secret@host/a.txt?token=secret":   "none of .onnx",
		"https://host/%zz?token=secret":              "invalid URL escape",
		"azblob://container/prefix?localemu=perhaps": "perhaps",
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, source, t.TempDir())
			require.ErrorContains(t, err, problem)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

// TestOneAtATime holds the lock as another process would.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	files{"iris.onnx": "m"}.write(t, from)
	require.NoError(t, os.Mkdir(filepath.Join(to, ".fetch"), 0o755))
	held, err := os.Create(filepath.Join(to, ".fetch", "lock"))
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(held.Fd()), syscall.LOCK_EX))
	var log journal
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := fetch.Fetch(ctx, from, to, options(&log))
		done <- err
	}()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("waiting for another fetch")) }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.NoError(t, held.Close())
	_, err = run(t, from, to)
	require.NoError(t, err)
}
