package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

func TestArchive(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		archive string
		model   string
		want    files
		problem string
	}{
		"a repository": {
			archive: zipped(t, tarOf(t, folder("./"), folder("./iris/"), entry{name: "./iris/1/model.onnx", text: "m"}, entry{name: "iris/._x", text: "x"})),
			want:    files{"iris/1/model.onnx": "m"},
		},
		"a bundle":              {archive: zipped(t, tarOf(t, entry{name: "model.onnx", text: "m"})), model: "iris", want: files{"iris/1/model.onnx": "m"}},
		"not gzipped after all": {archive: tarOf(t, entry{name: "a.onnx", text: "m"}), want: files{"a.onnx": "m"}},
		"a link":                {archive: tarOf(t, entry{name: "a.onnx", text: "/etc/passwd", kind: tar.TypeSymlink}), problem: "a link or a device"},
		"a hard link":           {archive: tarOf(t, entry{name: "a.onnx", text: "../../evil", kind: tar.TypeLink}), problem: "a link or a device"},
		"a pipe":                {archive: tarOf(t, entry{name: "a.onnx", kind: tar.TypeFifo}), problem: "a link or a device"},
		"out of the folder":     {archive: tarOf(t, entry{name: "../evil.onnx", text: "m"}), problem: "leads out"},
		"out from within":       {archive: tarOf(t, entry{name: "iris/../../evil.onnx", text: "m"}), problem: "leads out"},
		"from the root":         {archive: tarOf(t, entry{name: "/evil.onnx", text: "m"}), problem: "leads out"},
		"a folder out":          {archive: tarOf(t, folder("../evil/")), problem: "leads out"},
		"twice":                 {archive: tarOf(t, entry{name: "a.onnx", text: "m"}, entry{name: "a.onnx", text: "n"}), problem: "twice"},
		"cut":                   {archive: zipped(t, tarOf(t, entry{name: "a.onnx", text: model}))[:300], problem: "unpack repository.tgz: unexpected EOF"},
		"no archive":            {archive: "text", problem: "unpack repository.tgz"},
		"empty":                 {archive: zipped(t, tarOf(t)), problem: "no model in the source"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
			files{"repository.tgz": test.archive}.write(t, from)
			_, err := run(t, filepath.Join(from, "repository.tgz"), to, named(test.model, 0), withSHA256(sum(test.archive)))
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				assert.Empty(t, readable(t, filepath.Dir(to)))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, readable(t, to))
			before := inodes(t, to)
			_, err = run(t, filepath.Join(from, "repository.tgz"), to, named(test.model, 0), withSHA256(sum(test.archive)))
			require.NoError(t, err)
			assert.Equal(t, before, inodes(t, to), "what is the same was replaced")
		})
	}
}

func FuzzArchive(f *testing.F) {
	for _, seed := range []string{"", "text", "\x1f\x8b", "../", "/", "a.onnx"} {
		f.Add([]byte(seed))
	}
	var t testing.T
	f.Add([]byte(tarOf(&t, entry{name: "iris/1/model.onnx", text: "m"}, entry{name: "../x", text: "y"}, entry{name: "l", text: "/", kind: tar.TypeSymlink})))
	f.Add([]byte(zipped(&t, tarOf(&t, entry{name: "iris/1/model.onnx", text: "m"}))))
	f.Fuzz(func(t *testing.T, archive []byte) {
		folder := t.TempDir()
		source, to := filepath.Join(folder, "a.tgz"), filepath.Join(folder, "to")
		require.NoError(t, os.WriteFile(source, archive, 0o644))
		var log journal
		o := options(&log)
		o.Retries, o.MaxBytes = 0, 1<<20
		_, err := fetch.Fetch(t.Context(), source, to, o)
		entries, readErr := os.ReadDir(folder)
		require.NoError(t, readErr)
		for _, e := range entries {
			assert.Contains(t, []string{"a.tgz", "to"}, e.Name(), "written outside of the destination")
		}
		if err != nil {
			assert.Empty(t, readable(t, to))
			return
		}
		if compressed, err := gzip.NewReader(bytes.NewReader(archive)); err == nil {
			_, err = io.Copy(io.Discard, compressed)
			assert.NoError(t, err, "a damaged stream was installed")
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"files": {"model.onnx": "sha256:` + sum("m") + `"}}`))
	f.Add([]byte(`{"files": {"../model.onnx": "sha256:` + sum("m") + `", "": ""}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		from, to := t.TempDir(), t.TempDir()
		files{"iris/1/model.onnx": "m", "iris/1/MANIFEST.json": string(manifest)}.write(t, from)
		var log journal
		if _, err := fetch.Fetch(t.Context(), from, to, options(&log)); err == nil {
			assert.Contains(t, string(manifest), "sha256:", "a manifest that vouches for nothing")
		}
	})
}
