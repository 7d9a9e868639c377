package repository_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/modelconfig"
	"slipway/server/repository"
)

// install makes empty files; a path that ends in a slash is a folder.
func install(t *testing.T, paths ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, p := range paths {
		if strings.HasSuffix(p, "/") {
			require.NoError(t, os.MkdirAll(filepath.Join(root, p), 0o755))
			continue
		}
		write(t, filepath.Join(root, p), "")
	}
	return root
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

// found lists the versions that a scan chose, and what is wrong.
func found(state repository.State) (versions, wrong []string) {
	for _, m := range state.Models {
		for _, b := range m.Bundles {
			versions = append(versions, fmt.Sprintf("%s/%d", b.Model, b.Version))
			if b.Err != nil {
				wrong = append(wrong, b.Err.Error())
			}
		}
		if m.Err != nil {
			wrong = append(wrong, m.Err.Error())
		}
	}
	for _, err := range state.Problems {
		wrong = append(wrong, err.Error())
	}
	return versions, wrong
}

func scan(t *testing.T, root string) repository.State {
	t.Helper()
	state, err := repository.Scan(root)
	require.NoError(t, err)
	return state
}

func TestScan(t *testing.T) {
	root := install(t,
		"iris/10/model.onnx", "iris/2/model.onnx", "iris/2/golden.ndjson", "iris/2/model.onnx.data", "iris/labels.txt",
		"bare.onnx", "plain/model.onnx", "plain/weights/w.bin", "plain/golden.ndjson", ".hidden/x", "lost+found/",
		"iris/2/.part", "iris/11.tmp/model.onnx", "iris/.12/model.onnx", "rose.partial/1/model.onnx", "plain/x.tmp",
	)
	write(t, filepath.Join(root, "iris/config.yaml"), "versions: {all: true}")
	state := scan(t, root)
	assert.Empty(t, state.Problems)

	files := map[string][]string{}
	bundle := func(model string, version int64, path, golden string) repository.Bundle {
		b := repository.Bundle{Model: model, Version: version, Repository: root, Path: filepath.Join(root, path)}
		b.Dir = filepath.Dir(b.Path)
		if golden != "" {
			b.Golden = filepath.Join(root, golden)
		}
		return b
	}
	all := modelconfig.Default()
	all.Versions = modelconfig.Versions{All: true}
	for _, m := range state.Models {
		for i, b := range m.Bundles {
			assert.Len(t, b.Digest, 64)
			assert.Len(t, b.Fingerprint, 64)
			for _, file := range b.Files {
				files[m.Name] = append(files[m.Name], file.Name)
			}
			m.Bundles[i].Digest, m.Bundles[i].Fingerprint, m.Bundles[i].Files = "", "", nil
		}
	}
	for i, m := range state.Models {
		assert.Len(t, m.Fingerprint, 64)
		state.Models[i].Fingerprint = ""
	}
	assert.Equal(t, []repository.Model{
		{Name: "bare", Config: modelconfig.Default(), Bundles: []repository.Bundle{bundle("bare", 1, "bare.onnx", "")}},
		{Name: "iris", Config: all, Bundles: []repository.Bundle{
			bundle("iris", 2, "iris/2/model.onnx", "iris/2/golden.ndjson"), bundle("iris", 10, "iris/10/model.onnx", ""),
		}},
		{Name: "plain", Config: modelconfig.Default(), Bundles: []repository.Bundle{bundle("plain", 1, "plain/model.onnx", "plain/golden.ndjson")}},
	}, state.Models)
	assert.Equal(t, map[string][]string{
		"bare":  {"bare.onnx"},
		"iris":  {"golden.ndjson", "model.onnx", "model.onnx.data", "model.onnx"},
		"plain": {"golden.ndjson", "model.onnx", "weights/w.bin"},
	}, files)
}

func TestScanOfNothing(t *testing.T) {
	assert.Equal(t, repository.State{}, scan(t, install(t, ".keep")))
	_, err := repository.Scan("/does/not/exist")
	assert.ErrorContains(t, err, "/does/not/exist")
}

// A mounted ConfigMap is links to a folder behind ..data.
func TestScanFollowsAMountedConfigMap(t *testing.T) {
	root := install(t, "..2026_01_01/iris/1/model.onnx")
	require.NoError(t, os.Symlink("..2026_01_01", filepath.Join(root, "..data")))
	require.NoError(t, os.Symlink("..data/iris", filepath.Join(root, "iris")))
	versions, wrong := found(scan(t, root))
	assert.Empty(t, wrong)
	assert.Equal(t, []string{"iris/1"}, versions)
}

func TestVersionPolicy(t *testing.T) {
	for policy, want := range map[string][]string{
		"":                               {"iris/10"},
		"versions: {latest: 2}":          {"iris/2", "iris/10"},
		"versions: {latest: 9}":          {"iris/1", "iris/2", "iris/10"},
		"versions: {all: true}":          {"iris/1", "iris/2", "iris/10"},
		"versions: {specific: [10, 1]}":  {"iris/1", "iris/10"},
		"versions: {specific: [2, 2]}":   {"iris/2"},
		"versions: {specific: [2, 404]}": {"iris/2"},
	} {
		root := install(t, "iris/10/model.onnx", "iris/2/model.onnx", "iris/1/model.onnx")
		write(t, filepath.Join(root, "iris/config.yaml"), policy)
		state := scan(t, root)
		versions, _ := found(state)
		assert.Equal(t, want, versions, policy)
		if strings.Contains(policy, "404") {
			require.ErrorContains(t, state.Models[0].Err, "versions.specific: there is no version 404")
			continue
		}
		assert.NoError(t, state.Models[0].Err, policy)
	}
}

// One model that is wrong is listed with its error, and the others are served.
func TestABrokenModelDoesNotHarmTheOthers(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string // by path; a slash at the end makes a folder
		want  string            // error of the model
		still []string          // what is to be served of it nonetheless
	}{
		"no ONNX file":                   {files: map[string]string{"iris/1/": ""}, want: "iris/1/model.onnx: no such file", still: []string{"iris/1"}},
		"a folder for a file":            {files: map[string]string{"iris/1/model.onnx/": ""}, want: "no such file", still: []string{"iris/1"}},
		"empty model folder":             {files: map[string]string{"iris/": ""}, want: "no model.onnx and no version folder"},
		"two layouts":                    {files: map[string]string{"iris/1/model.onnx": "", "iris/model.onnx": ""}, want: "has both"},
		"two settings files":             {files: map[string]string{"iris/1/model.onnx": "", "iris/config.pbtxt": "", "iris/config.yaml": ""}, want: "config.yaml and config.pbtxt; keep one"},
		"wrong config.yaml":              {files: map[string]string{"iris/1/model.onnx": "", "iris/config.yaml": "batch: 1"}, want: "iris/config.yaml"},
		"wrong config.pbtxt":             {files: map[string]string{"iris/1/model.onnx": "", "iris/config.pbtxt": `name: "rose"`}, want: "iris/config.pbtxt"},
		"a settings file that is none":   {files: map[string]string{"iris/1/model.onnx": "", "iris/config.yaml/": ""}, want: "iris/config.yaml"},
		"a version that bare has not":    {files: map[string]string{"iris/model.onnx": "", "iris/config.yaml": "versions: {specific: [2]}"}, want: "no version 2"},
		"a wrong version beside a right": {files: map[string]string{"iris/1/model.onnx": "", "iris/2/": "", "iris/config.yaml": "versions: {all: true}"}, want: "iris/2/model.onnx", still: []string{"iris/1", "iris/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := install(t, "rose/1/model.onnx")
			for path, content := range test.files {
				if strings.HasSuffix(path, "/") {
					require.NoError(t, os.MkdirAll(filepath.Join(root, path), 0o755))
					continue
				}
				write(t, filepath.Join(root, path), content)
			}
			state := scan(t, root)
			require.Len(t, state.Models, 2)
			assert.Empty(t, state.Problems)
			versions, wrong := found(state)
			assert.Equal(t, append(test.still, "rose/1"), versions)
			require.Len(t, wrong, 1)
			assert.Contains(t, wrong[0], test.want)
		})
	}
}

func TestStrayThingsAreProblems(t *testing.T) {
	for name, test := range map[string]struct {
		path, want string
	}{
		"a file":                {"notes.txt", "notes.txt: neither a model folder nor an .onnx file"},
		"one model twice":       {"iris.onnx", `model "iris" is both iris and iris.onnx`},
		"a name with a colon":   {"a:b/1/model.onnx", "model name"},
		"a name with a newline": {"a\nb.onnx", "model name"},
		"a name that no message carries": {
			"a\xff.onnx", "model name"},
		"version zero":    {"iris/0/model.onnx", "positive whole number"},
		"leading zero":    {"iris/01/model.onnx", "positive whole number"},
		"version by name": {"iris/v1/model.onnx", "positive whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			state := scan(t, install(t, "iris/1/model.onnx", test.path))
			versions, wrong := found(state)
			assert.Equal(t, []string{"iris/1"}, versions)
			require.Len(t, state.Problems, 1)
			require.Len(t, wrong, 1)
			assert.Contains(t, wrong[0], test.want)
		})
	}
}

// Links that lead nowhere or in a circle and pipes neither end a scan nor hold it up.
func TestScanPassesOverTraps(t *testing.T) {
	root := install(t, "circle/1/model.onnx", "iris/1/model.onnx", "lost/1/model.onnx", "pipe/1/model.onnx")
	require.NoError(t, os.Symlink(".", filepath.Join(root, "circle/1/again")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "gone")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "lost/1/weights")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(root, "pipe/1/fifo"), 0o600))
	require.NoError(t, syscall.Mkfifo(filepath.Join(root, "pipe.onnx"), 0o600))
	_, wrong := found(scan(t, root))
	require.Len(t, wrong, 5)
	for i, part := range []string{"circle", "gone", "lost/1/weights", "pipe/1/fifo: is a named pipe, neither a file", "pipe.onnx: neither a model"} {
		assert.Contains(t, wrong[i], part)
	}
}

func TestDigest(t *testing.T) {
	root := install(t, "iris/1/model.onnx")
	digest := func() string { return scan(t, root).Models[0].Bundles[0].Digest }
	seen := map[string]string{digest(): "as it was"}
	for _, change := range []struct{ name, path, content string }{
		{"content", "iris/1/model.onnx", "a"},
		{"another file", "iris/1/labels.txt", ""},
		{"external data", "iris/1/data/w", ""},
		{"its content", "iris/1/data/w", "a"},
	} {
		write(t, filepath.Join(root, change.path), change.content)
		now := digest()
		assert.NotContains(t, seen, now, change.name)
		seen[now] = change.name
	}
	require.NoError(t, os.Rename(filepath.Join(root, "iris/1/labels.txt"), filepath.Join(root, "iris/1/labels")))
	assert.NotContains(t, seen, digest(), "another name")

	before := digest()
	write(t, filepath.Join(root, "iris/config.yaml"), "versions: {all: true}")
	write(t, filepath.Join(root, "iris/1/.cache"), "a")
	assert.Equal(t, before, digest(), "settings and temporary files are not part of it")
}

func TestManifest(t *testing.T) {
	sum := func(content string) string {
		digest := sha256.Sum256([]byte(content))
		return hex.EncodeToString(digest[:])
	}
	right := fmt.Sprintf(`"model.onnx": "sha256:%s", "data/w": %q`, sum("m"), strings.ToUpper(sum("w")))
	for name, test := range map[string]struct {
		manifest string
		want     []string
	}{
		"right":               {manifest: `{"files": {` + right + `}, "signature": "x"}`},
		"one file differs":    {`{"files": {"model.onnx": "` + sum("x") + `", "data/w": "` + sum("w") + `"}}`, []string{"the SHA-256 of model.onnx is " + sum("m")}},
		"one is not named":    {`{"files": {"model.onnx": "` + sum("m") + `"}}`, []string{"does not name data/w"}},
		"one is not there":    {`{"files": {` + right + `, "x": "` + sum("x") + `"}}`, []string{"names x, which the bundle does not have"}},
		"one lies outside":    {`{"files": {` + right + `, "../2/x": "` + sum("x") + `"}}`, []string{`"../2/x": leads out of its folder`}},
		"all that is wrong":   {`{"files": {"x": "` + sum("x") + `", "data/w": "` + sum("x") + `"}}`, []string{"names x", "does not name model.onnx", "the SHA-256 of data/w"}},
		"not a digest":        {`{"files": {"model.onnx": "1"}}`, []string{"expected sha256: and 64"}},
		"no files":            {`{}`, []string{`no "files"`}},
		"not JSON":            {`{`, []string{"MANIFEST.json"}},
		"not what is in them": {`{"files": ["model.onnx"]}`, []string{"MANIFEST.json"}},
	} {
		for layout, files := range map[string]string{"version": "iris/1/", "bare": "iris/"} {
			t.Run(name+" "+layout, func(t *testing.T) {
				root := t.TempDir()
				write(t, filepath.Join(root, "iris/config.yaml"), "")
				write(t, filepath.Join(root, files+"model.onnx"), "m")
				write(t, filepath.Join(root, files+"data/w"), "w")
				write(t, filepath.Join(root, files+"MANIFEST.json"), test.manifest)
				m := scan(t, root).Models[0]
				require.NoError(t, m.Err)
				require.Len(t, m.Bundles, 1)
				assert.Len(t, m.Bundles[0].Digest, 64)
				if test.want == nil {
					assert.NoError(t, m.Bundles[0].Err)
				}
				for _, part := range test.want {
					require.ErrorContains(t, m.Bundles[0].Err, part)
				}
			})
		}
	}
}

func TestScanModel(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{"m/3/model.onnx", "n.onnx", "stray.txt"} {
		at := filepath.Join(folder, filepath.FromSlash(path))
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(path), 0o600))
	}
	all, err := repository.Scan(folder)
	require.NoError(t, err)
	for i, name := range []string{"m", "n"} {
		m, known, err := repository.ScanModel(t.Context(), folder, name)
		require.NoError(t, err)
		assert.True(t, known)
		assert.Equal(t, all.Models[i], m)
	}
	_, known, err := repository.ScanModel(t.Context(), folder, "absent")
	require.NoError(t, err)
	assert.False(t, known)
	_, _, err = repository.ScanModel(t.Context(), filepath.Join(folder, "absent"), "m")
	assert.Error(t, err)
}
