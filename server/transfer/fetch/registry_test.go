package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"

	"slipway/server/transfer/fetch"
)

const (
	fileType  = "application/vnd.acme.model.v1"
	layerType = ocispec.MediaTypeImageLayer
	gzipType  = ocispec.MediaTypeImageLayerGzip
)

// hub is a registry with one repository; before may respond in its place.
type hub struct {
	*remote.Repository
	host string
}

func newHub(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) hub {
	t.Helper()
	c := &configuration.Configuration{Storage: configuration.Storage{"inmemory": {}}}
	c.Log.AccessLog.Disabled, c.Log.Level, c.HTTP.Secret = true, "error", "secret"
	app := handlers.NewApp(context.Background(), c)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			app.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.Close()
		_ = app.Shutdown()
	})
	host := server.Listener.Addr().String()
	repository, err := remote.NewRepository(host + "/models/iris")
	require.NoError(t, err)
	repository.PlainHTTP = true
	return hub{Repository: repository, host: host}
}

// layer is a blob of a manifest.
type layer struct {
	kind, text string
	notes      map[string]string
}

func titled(name, text string) layer {
	return layer{fileType, text, map[string]string{ocispec.AnnotationTitle: name}}
}

// push makes an image of the layers and returns its URL.
func (h hub) push(t *testing.T, tag string, layers ...layer) (url string, manifest ocispec.Descriptor) {
	t.Helper()
	var all []ocispec.Descriptor
	for _, l := range layers {
		d := content.NewDescriptorFromBytes(l.kind, []byte(l.text))
		require.NoError(t, h.Push(t.Context(), d, strings.NewReader(l.text)))
		d.Annotations = l.notes
		all = append(all, d)
	}
	manifest, err := oras.PackManifest(t.Context(), h, oras.PackManifestVersion1_1, "application/vnd.acme.model", oras.PackManifestOptions{Layers: all})
	require.NoError(t, err)
	require.NoError(t, h.Tag(t.Context(), manifest, tag))
	return "oci://" + h.host + "/models/iris:" + tag, manifest
}

// entry is one of a tar; with a kind it has no content but a target.
type entry struct {
	name, text string
	kind       byte
}

func tarOf(t *testing.T, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(e.text))}
		if e.kind != 0 {
			h.Typeflag, h.Size, h.Linkname, e.text = e.kind, 0, e.text, ""
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := w.Write([]byte(e.text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func folder(name string) entry { return entry{name: name, kind: tar.TypeDir} }

func TestRegistryLayouts(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	base := layer{gzipType, zipped(t, tarOf(t, folder("etc/"), entry{name: "etc/passwd", text: "p"}, entry{name: "lib", text: "usr/lib", kind: tar.TypeSymlink})), nil}
	wrapped := map[string]string{ocispec.AnnotationTitle: "iris", "io.deis.oras.content.unpack": "true"}
	for name, test := range map[string]struct {
		layers  []layer
		files   bool // whether the layers are files, so that their digests are known
		model   string
		want    files
		problem string
	}{
		"an artifact's files": {
			layers: []layer{titled("iris/1/model.onnx", "m"), titled("./iris/1/golden.ndjson", "g")},
			want:   files{"iris/1/model.onnx": "m", "iris/1/golden.ndjson": "g"}, files: true,
		},
		"an artifact's folder": {
			layers: []layer{{gzipType, zipped(t, tarOf(t, folder("iris"), folder("iris/1"), entry{name: "iris/1/model.onnx", text: "m"})), wrapped}},
			want:   files{"iris/1/model.onnx": "m"},
		},
		"an artifact with its own paths": {
			layers: []layer{{fileType + ".raw", "m", map[string]string{"org.cncf.model.filepath": "model.onnx"}}},
			model:  "iris", want: files{"iris/1/model.onnx": "m"}, files: true,
		},
		"an artifact's tars": {
			layers: []layer{{"application/vnd.cncf.model.weight.v1.tar", tarOf(t, entry{name: "model.onnx", text: "m"}), map[string]string{"org.cncf.model.filepath": "model.onnx"}}},
			model:  "iris", want: files{"iris/1/model.onnx": "m"},
		},
		"files without names": {
			layers: []layer{{"application/vnd.acme.onnx.v1", "m", nil}, {"application/vnd.docker.ai.license", "l", nil}},
			model:  "iris", want: files{"iris/1/model.onnx": "m", "iris/1/LICENSE": "l"}, files: true,
		},
		"an image that carries models": {
			layers: []layer{base, {gzipType, zipped(t, tarOf(t, folder("models/"), entry{name: "models/iris/1/model.onnx", text: "old"}, entry{name: "models/iris/config.yaml", text: "c"})), nil},
				{layerType, tarOf(t, entry{name: "models/iris/1/model.onnx", text: "m"}), nil}},
			want: files{"iris/1/model.onnx": "m", "iris/config.yaml": "c"},
		},
		"an image that carries versions": {
			layers: []layer{base, {gzipType, zipped(t, tarOf(t, entry{name: "./models/1/model.onnx", text: "m"})), nil}},
			model:  "iris", want: files{"iris/1/model.onnx": "m"},
		},
		"an image without models": {layers: []layer{base}, problem: "no model in the source"},
		"an image that removes":   {layers: []layer{{layerType, tarOf(t, entry{name: "models/iris/.wh.1"}), nil}}, problem: "removes a file"},
		"an image that removes all": {
			layers: []layer{{layerType, tarOf(t, entry{name: ".wh.models"}), nil}}, problem: "removes a file",
		},
		"an image with a link": {layers: []layer{{layerType, tarOf(t, entry{name: "models", text: "/mnt", kind: tar.TypeSymlink}), nil}}, problem: "a link or a device"},
		"an image with a link below": {
			layers: []layer{{layerType, tarOf(t, entry{name: "models/a", text: "/mnt", kind: tar.TypeSymlink}), nil}}, problem: "a link or a device",
		},
		"zstd":                     {layers: []layer{{ocispec.MediaTypeImageLayerZstd, "z", nil}}, problem: "build the image with gzip"},
		"a file without a name":    {layers: []layer{{"application/vnd.docker.ai.gguf.v3", "g", nil}}, problem: "push it with the annotation org.opencontainers.image.title"},
		"a name that leads out":    {layers: []layer{titled("../model.onnx", "m")}, problem: "leads out of its folder"},
		"a name twice":             {layers: []layer{titled("a.onnx", "m"), titled("a.onnx", "n")}, problem: "a.onnx is in the source twice"},
		"a file and its folder":    {layers: []layer{titled("a.onnx", "m"), titled("a.onnx/b.onnx", "n")}, problem: "a.onnx"},
		"nothing but an empty one": {problem: "has no layers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, manifest := h.push(t, sum(name)[:8], test.layers...)
			to := t.TempDir()
			_, err := run(t, url, to, named(test.model, 0))
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				assert.Empty(t, readable(t, to))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, readable(t, to))

			before := inodes(t, to)
			report, err := run(t, url, to, named(test.model, 0))
			require.NoError(t, err)
			assert.Equal(t, before, inodes(t, to), "what is the same was replaced")
			if test.files {
				assert.Equal(t, fetch.Report{Present: len(test.layers)}, report)
			}

			to = t.TempDir()
			_, err = run(t, url+"@"+manifest.Digest.String(), to, named(test.model, 0))
			require.NoError(t, err)
			assert.Equal(t, test.want, readable(t, to))
		})
	}
}

// TestRegistryNewTop changes only the upper of two layers that have the same file.
func TestRegistryNewTop(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	lower := layer{layerType, tarOf(t, entry{name: "models/iris/1/model.onnx", text: "lower"}), nil}
	url, _ := h.push(t, "1", lower, layer{layerType, tarOf(t, entry{name: "models/iris/1/model.onnx", text: "upper"}), nil})
	to := t.TempDir()
	_, err := run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": "upper"}, readable(t, to))
	h.push(t, "1", lower, layer{layerType, tarOf(t, entry{name: "models/rose/1/model.onnx", text: "rose"}), nil})
	_, err = run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": "lower", "rose/1/model.onnx": "rose"}, readable(t, to))
}

func TestRegistryIndex(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	_, mine := h.push(t, "mine", titled("iris.onnx", "mine"))
	_, other := h.push(t, "other", titled("iris.onnx", "other"))
	mine.Platform = &ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH}
	other.Platform = &ocispec.Platform{OS: "linux", Architecture: "s390x"}
	proof := other
	proof.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	for name, test := range map[string]struct {
		manifests     []ocispec.Descriptor
		want, problem string
	}{
		"this machine's": {manifests: []ocispec.Descriptor{other, proof, mine}, want: "mine"},
		"the only one":   {manifests: []ocispec.Descriptor{proof, other}, want: "other"},
		"none of ours":   {manifests: []ocispec.Descriptor{other, other}, problem: "linux/s390x"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: test.manifests})
			require.NoError(t, err)
			d := content.NewDescriptorFromBytes(ocispec.MediaTypeImageIndex, text)
			require.NoError(t, h.PushReference(t.Context(), d, bytes.NewReader(text), "index"))
			to := t.TempDir()
			_, err = run(t, "oci://"+h.host+"/models/iris:index", to)
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, files{"iris.onnx": test.want}, readable(t, to))
		})
	}
}

func isBlob(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:")
}

func TestRegistryFaults(t *testing.T) {
	t.Parallel()
	t.Run("resumes", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		var ranges []string
		h := newHub(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !isBlob(r) {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			ranges = append(ranges, r.Header.Get("Range"))
			w.Header().Set("Accept-Ranges", "bytes")
			return len(ranges) == 1 && cut(1000)(w, r)
		})
		url, _ := h.push(t, "1", titled("iris.onnx", model))
		to := t.TempDir()
		_, err := run(t, url, to)
		require.NoError(t, err)
		assert.Equal(t, sum(model), sum(readable(t, to)["iris.onnx"]))
		assert.Contains(t, ranges, fmt.Sprintf("bytes=1000-%d", len(model)-1))
	})
	t.Run("wrong content", func(t *testing.T) {
		t.Parallel()
		var reads atomic.Int32
		h := newHub(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !isBlob(r) {
				return false
			}
			reads.Add(1)
			_, _ = w.Write([]byte("x"))
			return true
		})
		url, _ := h.push(t, "1", titled("iris.onnx", "m"))
		to := t.TempDir()
		_, err := run(t, url, to)
		require.ErrorContains(t, err, "expected "+sum("m"))
		assert.Empty(t, readable(t, to))
		assert.Equal(t, int32(1), reads.Load())
	})
	t.Run("no such tag", func(t *testing.T) {
		t.Parallel()
		_, err := run(t, "oci://"+newHub(t, nil).host+"/models/iris:none", t.TempDir())
		require.ErrorContains(t, err, "check the address")
	})
	t.Run("plain http not allowed", func(t *testing.T) {
		t.Parallel()
		_, err := run(t, "oci://"+newHub(t, nil).host+"/models/iris:1", t.TempDir(), func(o *fetch.Options) { o.Insecure, o.Retries = false, 0 })
		require.ErrorContains(t, err, "add --insecure")
	})
}

func TestRegistryLogin(t *testing.T) {
	h := newHub(t, func(w http.ResponseWriter, r *http.Request) bool {
		if name, password, _ := r.BasicAuth(); name == "ann" && password == "secret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	url := "oci://" + h.host + "/models/iris:1"
	_, err := run(t, url, t.TempDir())
	require.ErrorContains(t, err, "check the registry's login")
	home := t.TempDir()
	login := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, h.host, base64.StdEncoding.EncodeToString([]byte("ann:secret")))
	require.NoError(t, os.WriteFile(filepath.Join(home, "config.json"), []byte(login), 0o600))
	t.Setenv("DOCKER_CONFIG", home)
	_, err = run(t, url, t.TempDir())
	require.ErrorContains(t, err, "check the address") // let in, and there is no such image
}

// TestRegistrySameBlob has blobs with several names and layers that are the same.
func TestRegistrySameBlob(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	h := newHub(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if isBlob(r) {
			reads.Add(1)
		}
		return false
	})
	url, _ := h.push(t, "files", titled("iris/1/model.onnx", model), titled("iris/2/model.onnx", model), titled("rose/1/model.onnx", model), titled("iris/config.yaml", "c"))
	to := t.TempDir()
	report, err := run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, fetch.Report{Fetched: 4, Bytes: int64(len(model)) + 1}, report)
	want := files{"iris/1/model.onnx": model, "iris/2/model.onnx": model, "rose/1/model.onnx": model, "iris/config.yaml": "c"}
	assert.Equal(t, want, readable(t, to))
	assert.Equal(t, int32(2), reads.Load())
	report, err = run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, fetch.Report{Present: 4}, report)
	require.NoError(t, os.RemoveAll(filepath.Join(to, "iris/2")))
	report, err = run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Fetched)
	assert.Equal(t, want, readable(t, to))

	empty := layer{gzipType, zipped(t, tarOf(t)), nil}
	url, _ = h.push(t, "layers", empty, layer{layerType, tarOf(t, entry{name: "models/iris/1/model.onnx", text: model}), nil}, empty, empty)
	to = t.TempDir()
	_, err = run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": model}, readable(t, to))

	packed := tarOf(t, entry{name: "iris/1/model.onnx", text: model})
	url, _ = h.push(t, "both", layer{"application/vnd.acme.tar", packed, nil}, titled("iris/1/packed.tar", packed))
	to = t.TempDir()
	_, err = run(t, url, to)
	require.NoError(t, err)
	assert.Equal(t, files{"iris/1/model.onnx": model, "iris/1/packed.tar": packed}, readable(t, to))
}

// TestRegistryManifests has documents that no builder makes.
func TestRegistryManifests(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	_, plain := h.push(t, "plain", titled("iris.onnx", "m"))
	documents := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := documents[filepath.Base(r.URL.Path)]
		kind := ocispec.MediaTypeImageIndex
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.Header().Set("Docker-Content-Digest", "sha256:"+sum(text))
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(text))
		}
	}))
	defer server.Close()
	entry := func(digest string, size int) string {
		return fmt.Sprintf(`{"mediaType": %q, "digest": %q, "size": %d}`, ocispec.MediaTypeImageIndex, digest, size)
	}
	chain := `{"manifests": []}`
	for range 10 {
		digest := "sha256:" + sum(chain)
		documents[digest] = chain
		chain = `{"manifests": [` + entry(digest, len(chain)) + `]}`
	}
	documents["chain"] = chain
	documents["both"] = `{"manifests": [` + entry(plain.Digest.String(), int(plain.Size)) + `], "layers": [` + entry(plain.Digest.String(), int(plain.Size)) + `]}`
	documents["large"] = `{"layers": [], "x": "` + strings.Repeat("x", 5<<20) + `"}`
	documents["text"] = `layers`
	pinned := "sha256:" + sum("another")
	documents[pinned] = `{"layers": [{"mediaType": "x", "digest": "` + plain.Digest.String() + `", "size": 1}]}`
	_, err := run(t, "oci://"+server.Listener.Addr().String()+"/models/iris@"+pinned, t.TempDir())
	require.ErrorContains(t, err, "mismatch", "a digest's document is another")
	for tag, problem := range map[string]string{
		"chain": "an index in an index, more than 4 deep",
		"both":  "is both an index and an image",
		"large": "exceeds MaxBytes 4194304",
		"text":  "manifest text: invalid character",
	} {
		_, err := run(t, "oci://"+server.Listener.Addr().String()+"/models/iris:"+tag, t.TempDir())
		require.ErrorContains(t, err, problem)
		assert.NotContains(t, err.Error(), "gave up", tag)
	}
}
