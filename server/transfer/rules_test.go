package transfer_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/repository"
	"slipway/server/transfer/fetch"
	"slipway/server/transfer/publish"
)

var quiet = slog.New(slog.DiscardHandler)

// files are a folder's, by their path in it.
type files map[string]string

func (f files) write(t *testing.T, folder string) string {
	t.Helper()
	for name, content := range f {
		path := filepath.Join(folder, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return folder
}

// with returns a bundle that has these files more.
func (f files) with(more files) files {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

func sum(content string) string {
	digest := sha256.Sum256([]byte(content))
	return hex.EncodeToString(digest[:])
}

// manifest names files, by name and then digest.
func manifest(pairs ...string) string {
	var entries []string
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, fmt.Sprintf("%q: %q", pairs[i], pairs[i+1]))
	}
	return `{"files": {` + strings.Join(entries, ", ") + `}}`
}

// serve reads one version as the server does.
func serve(folder string) error {
	state, err := repository.Scan(folder)
	err = errors.Join(append(state.Problems, err)...)
	versions := 0
	for _, m := range state.Models {
		err = errors.Join(err, m.Err)
		for _, b := range m.Bundles {
			err = errors.Join(err, b.Err)
			versions++
		}
	}
	if err == nil && versions == 0 {
		return errors.New("no version")
	}
	return err
}

func fetched(t *testing.T, from string) (string, error) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "to")
	_, err := fetch.Fetch(t.Context(), from, to, fetch.Options{Log: quiet})
	return to, err
}

// packed is an archive of a repository.
func packed(t *testing.T, repository files) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range repository {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "repository.tgz")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	return path
}

// TestAllReadersAgreeOnABundle has the server, fetch and publish read the same
// version: what one accepts the others accept.
func TestAllReadersAgreeOnABundle(t *testing.T) {
	t.Parallel()
	digest := sum("m")
	one := files{"model.onnx": "m"}
	named := one.with(files{"MANIFEST.json": manifest("model.onnx", "sha256:"+digest)})
	naming := func(name string) files {
		return one.with(files{name: "w", "MANIFEST.json": manifest("model.onnx", digest, name, sum("w"))})
	}
	for name, test := range map[string]struct {
		bundle  files
		refused bool
	}{
		"a model alone":     {bundle: one},
		"a manifest":        {bundle: named},
		"a signed manifest": {bundle: named.with(files{"MANIFEST.json.sig": "s", "MANIFEST.json.pem": "p"})},
		"a name that only begins like the manifest's": {bundle: named.with(files{"MANIFEST.jsonsig": "s"}), refused: true},
		"a digest without a prefix":                   {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", digest)})},
		"an upper-case digest":                        {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", strings.ToUpper(digest))})},
		"an upper-case digest with a prefix": {
			bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", "sha256:"+strings.ToUpper(digest))})},
		"an upper-case prefix":        {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", "SHA256:"+digest)})},
		"hidden files":                {bundle: named.with(files{".DS_Store": "d", "w.tmp": "t", "w.partial": "p", "lost+found/x": "l", "w/.x": "x"})},
		"a named .tmp":                {bundle: naming("w.tmp"), refused: true},
		"a named .partial":            {bundle: naming("w.partial"), refused: true},
		"a named dot name":            {bundle: naming(".w"), refused: true},
		"a named file in lost+found":  {bundle: naming("lost+found/w"), refused: true},
		"a named file in a .tmp":      {bundle: naming("w.tmp/w"), refused: true},
		"a named part":                {bundle: naming("weights/0.bin")},
		"a named part with a colon":   {bundle: naming("weights:0.bin")},
		"a named golden":              {bundle: naming("golden.ndjson")},
		"an unnamed golden":           {bundle: named.with(files{"golden.ndjson": "g"}), refused: true},
		"a folder golden.ndjson":      {bundle: naming("golden.ndjson/0")},
		"a named config.yaml":         {bundle: naming("config.yaml")},
		"an unnamed config.yaml":      {bundle: named.with(files{"config.yaml": "{}"}), refused: true},
		"an unnamed inner manifest":   {bundle: named.with(files{"weights/MANIFEST.json": "{}"}), refused: true},
		"a named inner manifest":      {bundle: naming("weights/MANIFEST.json")},
		"a manifest without a model":  {bundle: files{"w": "w", "MANIFEST.json": manifest("w", sum("w"))}, refused: true},
		"no model":                    {bundle: files{"w": "w"}, refused: true},
		"a folder model.onnx":         {bundle: files{"model.onnx/w": "w"}, refused: true},
		"a digest of another file":    {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", sum("n"))}), refused: true},
		"a digest that is too short":  {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", digest[1:])}), refused: true},
		"a digest of another kind":    {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", "md5:00")}), refused: true},
		"a named file is missing":     {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", digest, "w", sum("w"))}), refused: true},
		"a name that leads out":       {bundle: one.with(files{"MANIFEST.json": manifest("model.onnx", digest, "../w", sum("w"))}), refused: true},
		"a manifest that names none":  {bundle: one.with(files{"MANIFEST.json": manifest()}), refused: true},
		"a manifest without files":    {bundle: one.with(files{"MANIFEST.json": "{}"}), refused: true},
		"a manifest that is no JSON":  {bundle: one.with(files{"MANIFEST.json": "{"}), refused: true},
		"a manifest of a signature":   {bundle: naming("MANIFEST.json.sig"), refused: true},
		"eight folders deep":          {bundle: naming("1/2/3/4/5/6/7/8/w")},
		"nine folders deep":           {bundle: one.with(files{"1/2/3/4/5/6/7/8/9/w": "w"}), refused: true},
		"nine folders deep and named": {bundle: naming("1/2/3/4/5/6/7/8/9/w"), refused: true},
		"a backslash":                 {bundle: one.with(files{`a\b`: "w"}), refused: true},
		"a control character":         {bundle: one.with(files{"a\nb": "w"}), refused: true},
		"no UTF-8":                    {bundle: one.with(files{"a\xffb": "w"}), refused: true},
		"not ASCII":                   {bundle: naming("größe.bin")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			versioned := files{}
			for name, content := range test.bundle {
				versioned["iris/1/"+name] = content
			}
			repository := versioned.write(t, t.TempDir())
			folder, folderErr := fetched(t, repository)
			archive, archiveErr := fetched(t, packed(t, versioned))
			published := t.TempDir()
			_, publishErr := publish.Publish(t.Context(), filepath.Join(repository, "iris/1"), published, "iris", publish.Options{Log: quiet})
			results := map[string]error{"server": serve(repository), "fetch": folderErr, "fetch of an archive": archiveErr, "publish": publishErr}
			for reader, err := range results {
				assert.Equal(t, test.refused, err != nil, "%s: %v", reader, err)
			}
			if !test.refused {
				for _, copied := range []string{folder, archive, published} {
					require.NoError(t, serve(copied))
					again, err := fetched(t, copied)
					require.NoError(t, err)
					require.NoError(t, serve(again))
				}
			}
		})
	}
}

// TestReadersAgreeOnARepository has the server and fetch read the same repository.
func TestReadersAgreeOnARepository(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		repository files
		refused    bool
	}{
		"a version":                      {repository: files{"iris/1/model.onnx": "m"}},
		"a model with a dot":             {repository: files{"iris.v2/1/model.onnx": "m"}},
		"a bare model":                   {repository: files{"iris/model.onnx": "m"}},
		"a file":                         {repository: files{"iris.onnx": "m"}},
		"a version with a configuration": {repository: files{"iris/1/model.onnx": "m", "iris/config.yaml": "{}"}},
		"a bare model with a manifest and a configuration": {
			repository: files{"iris/model.onnx": "m", "iris/config.yaml": "{}", "iris/MANIFEST.json": manifest("model.onnx", sum("m"))}},
		"a bare model whose manifest names the configuration": {
			repository: files{"iris/model.onnx": "m", "iris/config.yaml": "{}", "iris/MANIFEST.json": manifest("model.onnx", sum("m"), "config.yaml", sum("{}"))}, refused: true},
		"a bare model with an unnamed file": {
			repository: files{"iris/model.onnx": "m", "iris/w": "w", "iris/MANIFEST.json": manifest("model.onnx", sum("m"))}, refused: true},
		"bare and versions":            {repository: files{"iris/model.onnx": "m", "iris/1/model.onnx": "m"}, refused: true},
		"a file and versions":          {repository: files{"iris.onnx": "m", "iris/1/model.onnx": "m"}, refused: true},
		"a leading zero":               {repository: files{"iris/01/model.onnx": "m"}, refused: true},
		"a leading zero and a version": {repository: files{"iris/01/model.onnx": "m", "iris/2/model.onnx": "m"}, refused: true},
		"version zero":                 {repository: files{"iris/0/model.onnx": "m"}, refused: true},
		"a version by name":            {repository: files{"iris/v1/model.onnx": "m"}, refused: true},
		"a version past an int64":      {repository: files{"iris/9223372036854775808/model.onnx": "m"}, refused: true},
		"a hidden version":             {repository: files{"iris/1.tmp/model.onnx": "m"}, refused: true},
		"a hidden version and another": {repository: files{"iris/1.tmp/model.onnx": "m", "iris/2/model.onnx": "m"}},
		"a hidden model":               {repository: files{"iris.partial/1/model.onnx": "m"}, refused: true},
		"a hidden name of a file":      {repository: files{"iris.tmp.onnx": "m"}, refused: true},
		"a model with a colon":         {repository: files{"a:b/1/model.onnx": "m"}, refused: true},
		"a file with a colon":          {repository: files{"a:b.onnx": "m"}, refused: true},
		"a model with a newline":       {repository: files{"a\nb/1/model.onnx": "m"}, refused: true},
		"a model that is not UTF-8":    {repository: files{"a\xff/1/model.onnx": "m"}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository := test.repository.write(t, t.TempDir())
			folder, folderErr := fetched(t, repository)
			archive, archiveErr := fetched(t, packed(t, test.repository))
			for reader, err := range map[string]error{"server": serve(repository), "fetch": folderErr, "fetch of an archive": archiveErr} {
				assert.Equal(t, test.refused, err != nil, "%s: %v", reader, err)
			}
			if !test.refused {
				require.NoError(t, serve(folder))
				require.NoError(t, serve(archive))
			}
		})
	}
}

// TestAllAgreeOnAModelName has a name come from the caller of fetch and publish.
func TestAllAgreeOnAModelName(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]bool{
		"iris": false, "iris.v2": false, "größe": false,
		".iris": true, "iris.tmp": true, "iris.partial": true, "lost+found": true, "a/b": true, "a:b": true, "a?b": true, "a\x00b": true, "a\u200bb": true, "a\xffb": true,
	} {
		bundle := files{"model.onnx": "m"}.write(t, t.TempDir())
		_, err := fetch.Fetch(t.Context(), bundle, t.TempDir(), fetch.Options{Log: quiet, Model: name})
		assert.Equal(t, refused, err != nil, "fetch %q: %v", name, err)
		_, err = publish.Publish(t.Context(), bundle, t.TempDir(), name, publish.Options{Log: quiet})
		assert.Equal(t, refused, err != nil, "publish %q: %v", name, err)
	}
}
