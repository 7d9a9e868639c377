package repository_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/repository"
)

// lay makes empty files; a path that ends in a slash is a folder.
func lay(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range paths {
		at := filepath.Join(root, p)
		if p[len(p)-1] == '/' {
			require.NoError(t, os.MkdirAll(at, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, nil, 0o600))
	}
	return root
}

func TestScan(t *testing.T) {
	root := lay(t,
		"iris/10/model.onnx", "iris/2/model.onnx", "iris/2/golden.ndjson", "iris/2/model.onnx.data", "iris/labels.txt",
		"bare.onnx", "plain/model.onnx", ".hidden/x", "lost+found/",
	)
	found, err := repository.Scan(root)
	require.NoError(t, err)
	assert.Equal(t, []repository.Bundle{
		{Model: "bare", Version: 1, Path: filepath.Join(root, "bare.onnx")},
		{Model: "iris", Version: 2, Path: filepath.Join(root, "iris/2/model.onnx")},
		{Model: "iris", Version: 10, Path: filepath.Join(root, "iris/10/model.onnx")},
		{Model: "plain", Version: 1, Path: filepath.Join(root, "plain/model.onnx")},
	}, found)
}

// A mounted ConfigMap is links to a folder behind ..data.
func TestScanFollowsAMountedConfigMap(t *testing.T) {
	root := lay(t, "..2026_01_01/iris/1/model.onnx")
	require.NoError(t, os.Symlink("..2026_01_01", filepath.Join(root, "..data")))
	require.NoError(t, os.Symlink("..data/iris", filepath.Join(root, "iris")))
	found, err := repository.Scan(root)
	require.NoError(t, err)
	assert.Equal(t, []repository.Bundle{{Model: "iris", Version: 1, Path: filepath.Join(root, "iris/1/model.onnx")}}, found)
}

func TestScanRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		paths []string
		want  string
	}{
		"no model":            {[]string{".keep"}, "no model"},
		"no ONNX file":        {[]string{"iris/1/"}, `model "iris" version 1`},
		"empty model folder":  {[]string{"iris/"}, "no model.onnx and no version folder"},
		"version zero":        {[]string{"iris/0/model.onnx"}, "positive whole number"},
		"leading zero":        {[]string{"iris/01/model.onnx"}, "positive whole number"},
		"version by name":     {[]string{"iris/v1/model.onnx"}, "positive whole number"},
		"two layouts":         {[]string{"iris/1/model.onnx", "iris/model.onnx"}, "has both"},
		"one model twice":     {[]string{"iris/1/model.onnx", "iris.onnx"}, `model "iris" is both`},
		"stray file":          {[]string{"iris/1/model.onnx", "notes.txt"}, "neither a model folder nor an .onnx file"},
		"a name with a colon": {[]string{"a:b/1/model.onnx"}, "model name"},
		"its configuration":   {[]string{"iris/1/model.onnx", "iris/config.pbtxt"}, "per-model configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := repository.Scan(lay(t, test.paths...))
			assert.ErrorContains(t, err, test.want)
		})
	}
	_, err := repository.Scan("/does/not/exist")
	assert.ErrorContains(t, err, "/does/not/exist")
}
