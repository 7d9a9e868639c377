package fetch_test

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

var inStore = files{
	"models/iris/1/model.onnx": model, "models/iris/1/golden.ndjson": "g", "models/iris/config.yaml": "c", "models/iris/2/": "",
	"models-old/iris/1/model.onnx": "old", "other.onnx": "o",
}

var inRepository = files{"iris/1/model.onnx": model, "iris/1/golden.ndjson": "g", "iris/config.yaml": "c"}

// s3 is a store with what inStore has; before may respond in its place.
func s3(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) (query string) {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("bucket"))
	for name, content := range inStore {
		_, err := backend.PutObject("bucket", name, nil, strings.NewReader(content), int64(len(content)), nil)
		require.NoError(t, err)
	}
	store := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			store.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return "?region=eu-central-1&endpoint=" + url.QueryEscape(server.URL)
}

func TestS3(t *testing.T) {
	t.Parallel()
	query := s3(t, nil)
	t.Run("a prefix", func(t *testing.T) {
		to := t.TempDir()
		report, err := run(t, "s3://bucket/models"+query, to)
		require.NoError(t, err)
		assert.Equal(t, fetch.Report{Fetched: 3, Bytes: int64(len(model) + 2)}, report)
		assert.Equal(t, inRepository, readable(t, to))
		report, err = run(t, "s3://bucket/models/"+query, to)
		require.NoError(t, err)
		assert.Equal(t, fetch.Report{Present: 3}, report, "the store's MD5 shows that all is there")
	})
	t.Run("an object", func(t *testing.T) {
		to := t.TempDir()
		_, err := run(t, "s3://bucket/other.onnx"+query, to, withSHA256(sum("o")))
		require.NoError(t, err)
		assert.Equal(t, files{"other.onnx": "o"}, readable(t, to))
	})
	t.Run("none of the kind", func(t *testing.T) {
		_, err := run(t, "s3://bucket/none"+query, t.TempDir())
		require.ErrorContains(t, err, `nothing there; check the prefix "none/"`)
		_, err = run(t, "s3://bucket/none.onnx"+query, t.TempDir())
		require.ErrorContains(t, err, "check the address")
		_, err = run(t, "s3://nobucket/none"+query, t.TempDir())
		require.ErrorContains(t, err, "check the address")
	})
}

// TestUnfinished leaves out a version that lacks a file. One that is wrong in another
// way is an error.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	manifest := func(names ...string) string {
		sums := map[string]string{}
		for _, name := range names {
			sums[name] = "sha256:" + sum(name)
		}
		text, err := json.Marshal(map[string]any{"files": sums})
		require.NoError(t, err)
		return string(text)
	}
	complete := files{"iris/1/model.onnx": "model.onnx", "iris/1/MANIFEST.json": manifest("model.onnx"), "iris/config.yaml": "c"}
	for name, c := range map[string]struct {
		more    files
		problem string
	}{
		"its model is missing":    {more: files{"iris/2/MANIFEST.json": manifest("model.onnx")}},
		"a part is missing":       {more: files{"iris/2/MANIFEST.json": manifest("model.onnx", "part.bin"), "iris/2/model.onnx": "model.onnx"}},
		"no manifest nor model":   {more: files{"iris/2/golden.ndjson": "g"}},
		"a file is another":       {files{"iris/2/MANIFEST.json": manifest("model.onnx"), "iris/2/model.onnx": "else"}, "iris/2/model.onnx"},
		"the manifest is no JSON": {files{"iris/2/MANIFEST.json": "{", "iris/2/model.onnx": "model.onnx"}, "iris/2/MANIFEST.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), t.TempDir()
			complete.write(t, from)
			c.more.write(t, from)
			_, err := run(t, from, to)
			if c.problem != "" {
				require.ErrorContains(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, complete, readable(t, to))
		})
	}
}

func isModel(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/model.onnx")
}

func TestS3Resumes(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	var ranges, matches [3]string
	query := s3(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !isModel(r) {
			return false
		}
		n := reads.Add(1) - 1
		ranges[n], matches[n] = r.Header.Get("Range"), r.Header.Get("If-Match")
		r.Header.Del("If-Match") // which the tag that a cut response lacks would fail
		return n == 0 && cut(1000)(w, r) || n == 1 && status(503)(w, r)
	})
	to := t.TempDir()
	_, err := run(t, "s3://bucket/models"+query, to)
	require.NoError(t, err)
	assert.Equal(t, inRepository, readable(t, to))
	assert.Equal(t, [3]string{"", "bytes=1000-", "bytes=1000-"}, ranges)
	tag := fmt.Sprintf(`"%x"`, md5.Sum([]byte(model)))
	assert.Equal(t, [3]string{tag, tag, tag}, matches)
}

// TestS3WrongChecksum has all bytes come and the store's own checksum differ: the
// object is fetched again from its start.
func TestS3WrongChecksum(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	query := s3(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !isModel(r) || reads.Add(1) > 1 {
			return false
		}
		w.Header().Set("X-Amz-Checksum-Crc32", "AAAAAA==")
		_, _ = w.Write(bytes.Repeat([]byte("x"), len(model)))
		return true
	})
	to := t.TempDir()
	_, err := run(t, "s3://bucket/models"+query, to)
	require.NoError(t, err)
	assert.Equal(t, inRepository, readable(t, to))
	assert.Equal(t, int32(2), reads.Load())
}

func TestS3Denied(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	query := s3(t, func(w http.ResponseWriter, r *http.Request) bool {
		if isModel(r) {
			reads.Add(1)
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>InvalidAccessKeyId</Code><Message>no</Message></Error>"))
			return true
		}
		return false
	})
	_, err := run(t, "s3://bucket/models"+query, t.TempDir())
	require.ErrorContains(t, err, "download iris/1/model.onnx")
	require.ErrorContains(t, err, "check the AWS credentials")
	assert.Equal(t, int32(1), reads.Load())
}

func TestS3Hostile(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("bucket"))
	for _, name := range []string{"m/iris/1/model.onnx", "m/../../evil.onnx"} {
		_, err := backend.PutObject("bucket", name, nil, strings.NewReader("m"), 1, nil)
		require.NoError(t, err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	to := t.TempDir()
	_, err := run(t, "s3://bucket/m?region=x&endpoint="+url.QueryEscape(server.URL), to)
	require.ErrorContains(t, err, "leads out of its folder")
	assert.Empty(t, readable(t, to))
}

// TestGoogle uses as much of Google's store as a fetch needs.
func TestGoogle(t *testing.T) {
	var mu sync.Mutex
	var generations []string
	var failures atomic.Int32
	google := func(w http.ResponseWriter, r *http.Request) {
		describe := func(name string) map[string]any {
			return map[string]any{
				"kind": "storage#object", "name": name, "bucket": "bucket", "size": strconv.Itoa(len(inStore[name])),
				"etag": "tag", "generation": "7", "updated": time.Now().Format(time.RFC3339),
			}
		}
		name, isObject := strings.CutPrefix(r.URL.Path, "/storage/v1/b/bucket/o/")
		switch {
		case r.URL.Path == "/storage/v1/b/bucket/o":
			var items []any
			for name := range inStore {
				if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
					items = append(items, describe(name))
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"kind": "storage#objects", "items": items})
		case isObject && r.URL.Query().Get("alt") != "media":
			_ = json.NewEncoder(w).Encode(describe(name))
		default:
			name, _ = strings.CutPrefix(cmp.Or(name, r.URL.Path), "/bucket/")
			if failures.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			generations = append(generations, cmp.Or(r.Header.Get("X-Goog-If-Generation-Match"), r.URL.Query().Get("ifGenerationMatch")))
			w.Header().Set("X-Goog-Generation", "7")
			http.ServeContent(w, r, "", time.Now(), strings.NewReader(inStore[name]))
		}
	}
	server := httptest.NewServer(http.HandlerFunc(google))
	defer server.Close()
	t.Setenv("STORAGE_EMULATOR_HOST", server.Listener.Addr().String())
	to := t.TempDir()
	_, err := run(t, "gs://bucket/models/iris/1", to, named("iris", 3))
	require.NoError(t, err)
	assert.Equal(t, files{"iris/3/model.onnx": model, "iris/3/golden.ndjson": "g"}, readable(t, to))
	assert.Equal(t, []string{"7", "7"}, generations)
}

const azureAccount = "account"

// TestAzure uses as much of Azure's store as a fetch needs.
func TestAzure(t *testing.T) {
	t.Parallel()
	azure := func(w http.ResponseWriter, r *http.Request) {
		name, isObject := strings.CutPrefix(r.URL.Path, "/"+azureAccount+"/container/")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		if !isObject {
			var list bytes.Buffer
			list.WriteString("<EnumerationResults><Blobs>")
			for name, content := range inStore {
				if strings.HasPrefix(name, r.URL.Query().Get("prefix")) && !strings.HasSuffix(name, "/") {
					fmt.Fprintf(&list, "<Blob><Name>%s</Name><Properties><Content-Length>%d</Content-Length><Etag>tag</Etag><Last-Modified>%s</Last-Modified></Properties></Blob>", name, len(content), w.Header().Get("Last-Modified"))
				}
			}
			list.WriteString("</Blobs></EnumerationResults>")
			w.Header().Set("Content-Type", "application/xml")
			_, _ = w.Write(list.Bytes())
			return
		}
		content := inStore[name]
		sum := md5.Sum([]byte(content))
		w.Header().Set("ETag", `"tag"`)
		w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
		w.Header().Set("X-Ms-Creation-Time", w.Header().Get("Last-Modified"))
		w.Header().Set("X-Ms-Blob-Type", "BlockBlob")
		if part := r.Header.Get("X-Ms-Range"); part != "" {
			r.Header.Set("Range", part)
		}
		if r.Method == http.MethodGet && r.Header.Get("If-Match") != `"tag"` {
			w.WriteHeader(http.StatusPreconditionRequired)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}
	server := httptest.NewServer(http.HandlerFunc(azure))
	defer server.Close()
	to := t.TempDir()
	_, err := run(t, "azblob://container/models?localemu=true&protocol=http&domain="+server.Listener.Addr().String(), to)
	require.NoError(t, err)
	assert.Equal(t, inRepository, readable(t, to))
}

// multipart replaces the tag of a store's responses by one of an object that was
// uploaded in parts, which is no MD5.
type multipart struct{ http.ResponseWriter }

func (m multipart) WriteHeader(status int) {
	if tag := m.Header().Get("ETag"); tag != "" {
		m.Header().Set("ETag", tag[:len(tag)-1]+`-2"`)
	}
	m.ResponseWriter.WriteHeader(status)
}

// TestManifestShowsWhatIsThere has a store that knows no MD5, as of large objects.
func TestManifestShowsWhatIsThere(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("bucket"))
	stored := files{"iris/1/model.onnx": model, "iris/1/MANIFEST.json": `{"files": {"model.onnx": "` + sum(model) + `"}}`}
	for name, content := range stored {
		_, err := backend.PutObject("bucket", name, nil, strings.NewReader(content), int64(len(content)), nil)
		require.NoError(t, err)
	}
	var reads atomic.Int32
	store := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isModel(r) {
			reads.Add(1)
		}
		r.Header.Del("If-Match")
		store.ServeHTTP(multipart{w}, r)
	}))
	defer server.Close()
	from, to := "s3://bucket?region=x&endpoint="+url.QueryEscape(server.URL), t.TempDir()
	for _, expected := range []fetch.Report{{Fetched: 2}, {Present: 2}} {
		report, err := run(t, from, to)
		require.NoError(t, err)
		report.Bytes = 0
		assert.Equal(t, expected, report)
	}
	assert.Equal(t, int32(1), reads.Load(), "the model was downloaded twice")
}
