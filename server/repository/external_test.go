package repository_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
	"slipway/server/repository"
)

// installExternal writes a model that refers to 16 bytes at a location of 13 letters.
func installExternal(t *testing.T, path, location string) {
	t.Helper()
	require.Len(t, location, len("external.data"))
	text, err := os.ReadFile(onnxtest.Model(t, "external"))
	require.NoError(t, err)
	write(t, path, string(bytes.Replace(text, []byte("external.data"), []byte(location), 1)))
}

const weights = "sixteen bytes ok"

// What a model refers to is part of it, wherever it may lie.
func TestFilesThatAModelRefersTo(t *testing.T) {
	for name, test := range map[string]struct{ model, location, at string }{
		"beside a bare model":              {"m.onnx", "m.onnx-data-1", "m.onnx-data-1"},
		"in a folder beside a bare model":  {"m.onnx", "weights/w.bin", "weights/w.bin"},
		"under a name that is hidden":      {"m.onnx", ".weights/wbin", ".weights/wbin"},
		"in a model's folder":              {"m/model.onnx", "external.data", "m/external.data"},
		"in a version's folder":            {"m/3/model.onnx", "external.data", "m/3/external.data"},
		"in a version, hidden":             {"m/3/model.onnx", ".external.bin", "m/3/.external.bin"},
		"in a version, as if it were left": {"m/3/model.onnx", "w/weights.tmp", "m/3/w/weights.tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			root := install(t, "good/1/model.onnx", "z.onnx")
			installExternal(t, filepath.Join(root, test.model), test.location)
			data := filepath.Join(root, test.at)
			write(t, data, weights)
			state := scan(t, root)
			require.Len(t, state.Models, 3)
			_, wrong := found(state)
			require.Empty(t, wrong)
			b := state.Models[1].Bundles[0]
			assert.EqualValues(t, 16, b.External)
			file, err := os.Stat(b.Path)
			require.NoError(t, err)
			assert.Equal(t, file.Size()+16, b.Size())
			require.NoError(t, b.Unchanged(t.Context()))

			write(t, data, strings.ToUpper(weights))
			require.ErrorContains(t, b.Unchanged(t.Context()), data+": has changed while it was loaded")
			changed := scan(t, root).Models[1].Bundles[0]
			assert.NotEqual(t, b.Digest, changed.Digest)
			assert.NotEqual(t, b.Fingerprint, changed.Fingerprint)

			write(t, data, weights[:15])
			_, wrong = found(scan(t, root))
			assert.Contains(t, strings.Join(wrong, ""), "has 15 bytes of the 16 that the ONNX file needs: incomplete")
			require.NoError(t, os.Remove(data))
			_, wrong = found(scan(t, root))
			assert.Contains(t, strings.Join(wrong, ""), "which is not there: incomplete")
			require.ErrorIs(t, b.Unchanged(t.Context()), os.ErrNotExist)
		})
	}
}

// The length of a tensor may be left out. Its memory counts all the same.
func TestWeightsWhoseLengthIsNotGiven(t *testing.T) {
	text, err := os.ReadFile(onnxtest.Model(t, "external"))
	require.NoError(t, err)
	require.Contains(t, string(text), "length")
	root := t.TempDir()
	write(t, filepath.Join(root, "m/1/model.onnx"), strings.Replace(string(text), "length", "unread", 1))
	write(t, filepath.Join(root, "m/1/external.data"), weights)
	b := scan(t, root).Models[0].Bundles[0]
	require.NoError(t, b.Err)
	assert.EqualValues(t, 16, b.External)
}

// What ONNX Runtime would refuse is reported at the scan.
func TestFilesThatAModelMayNotReferTo(t *testing.T) {
	for name, test := range map[string]struct {
		location, want string
		link           string
	}{
		"above":                     {location: "../extern.bin", want: "is not in the folder"},
		"absolute":                  {location: "/etc/hostname", want: "is not in the folder"},
		"a link out of the folder":  {location: "external.data", link: "../../shared", want: "is a link out of the folder"},
		"a link out of everything":  {location: "external.data", link: "/etc/hostname", want: "link leads out of"},
		"a folder":                  {location: "external.data", link: "..2026", want: "is not a file"},
		"a link that stays":         {location: "external.data", link: "w"},
		"a link as of a ConfigMap":  {location: "external.data", link: "..data/w"},
		"an absolute link in there": {location: "external.data", link: "ROOT/m/1/w"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, filepath.Join(root, "shared"), weights)
			write(t, filepath.Join(root, "m/extern.bin"), weights)
			write(t, filepath.Join(root, "m/1/w"), weights)
			write(t, filepath.Join(root, "m/1/..2026/w"), weights)
			require.NoError(t, os.Symlink("..2026", filepath.Join(root, "m/1/..data")))
			installExternal(t, filepath.Join(root, "m/1/model.onnx"), test.location)
			if test.link != "" {
				require.NoError(t, os.Symlink(strings.Replace(test.link, "ROOT", root, 1), filepath.Join(root, "m/1", test.location)))
			}
			err := scan(t, root).Models[0].Bundles[0].Err
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			assert.NotErrorIs(t, err, repository.ErrIncomplete)
		})
	}
}

// As in the cache of a hub: the files of a version are links to one folder of blobs.
func TestABundleOfLinksToOneFolder(t *testing.T) {
	root := t.TempDir()
	installExternal(t, filepath.Join(root, ".blobs/aa11"), "external.data")
	write(t, filepath.Join(root, ".blobs/bb22"), weights)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "m/1"), 0o755))
	require.NoError(t, os.Symlink("../../.blobs/aa11", filepath.Join(root, "m/1/model.onnx")))
	require.NoError(t, os.Symlink("../../.blobs/bb22", filepath.Join(root, "m/1/external.data")))
	require.NoError(t, scan(t, root).Models[0].Bundles[0].Err)
}

// New weights beside a bare model are noticed, when they have been copied.
func TestWatchSeesNewWeights(t *testing.T) {
	root := t.TempDir()
	installExternal(t, filepath.Join(root, "net.onnx"), "net.onnx.data")
	data := filepath.Join(root, "net.onnx.data")
	write(t, data, weights)
	watch(t, root, func(t *testing.T, w *repository.Watcher) {
		first := scan(t, root)
		require.Empty(t, first.Problems)
		assertUnchanged(t, w)
		write(t, data, weights[:5])
		_, isChange, err := w.Poll(t.Context())
		require.NoError(t, err)
		require.False(t, isChange, "it may be being copied")
		write(t, data, strings.ToUpper(weights))
		second, _ := changed(t, w)
		require.Empty(t, second.Problems)
		require.NoError(t, second.Models[0].Bundles[0].Err)
		assert.NotEqual(t, first.Models[0].Fingerprint, second.Models[0].Fingerprint)
	})
}

// A folder without a model names the file that was to be it.
func TestAnotherNameThanModelOnnx(t *testing.T) {
	for _, path := range []string{"iris/iris.onnx", "iris/1/iris.onnx"} {
		state := scan(t, install(t, path))
		assert.Contains(t, reasons(state), "rename iris.onnx to model.onnx", path)
	}
}
