package fetch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
	"slipway/server/transfer/source"
)

var model = strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB

// flaky is a web server with one file. Each fault is of one request after the
// first, which requests the size.
type flaky struct {
	content, tag string
	noRanges     bool
	faults       []func(http.ResponseWriter, *http.Request) (answered bool)

	mu   sync.Mutex
	seen []*http.Request
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	n := len(f.seen)
	f.seen = append(f.seen, r)
	f.mu.Unlock()
	w.Header().Set("ETag", f.tag)
	if n > 0 && n <= len(f.faults) && f.faults[n-1](w, r) {
		return
	}
	if f.noRanges {
		r.Header.Del("Range")
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(f.content))
}

// ranges returns what was requested after the size.
func (f *flaky) ranges() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, r := range f.seen[1:] {
		all = append(all, r.Header.Get("Range"))
	}
	return all
}

func (f *flaky) start(t *testing.T) string {
	t.Helper()
	if f.tag == "" {
		f.tag = `"v1"`
	}
	if f.content == "" {
		f.content = model
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL + "/iris.onnx"
}

// cut ends the connection after n bytes of what was requested.
func cut(n int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		http.ServeContent(&cutter{ResponseWriter: w, left: n}, r, "", time.Time{}, strings.NewReader(model))
		return true
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	if len(b) < c.left {
		c.left -= len(b)
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func status(code int, more ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i < len(more); i += 2 {
			w.Header().Set(more[i], more[i+1])
		}
		http.Error(w, "no", code)
		return true
	}
}

// hang responds nothing until the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

func TestWebFaults(t *testing.T) {
	t.Parallel()
	type faults = []func(http.ResponseWriter, *http.Request) bool
	for name, test := range map[string]struct {
		server  *flaky
		sum     string
		ranges  []string // nil: not looked at
		problem string
	}{
		"none":                   {server: &flaky{}, ranges: []string{""}},
		"one cut":                {server: &flaky{faults: faults{cut(1000)}}, ranges: []string{"", "bytes=1000-"}},
		"many cuts that advance": {server: &flaky{faults: faults{cut(10), cut(10), cut(10), cut(10), cut(10), cut(10)}}, sum: sum(model), ranges: []string{"", "bytes=10-", "bytes=20-", "bytes=30-", "bytes=40-", "bytes=50-", "bytes=60-"}},
		"cuts at one place":      {server: &flaky{faults: faults{cut(9), cut(0), cut(0), cut(0), cut(0)}}, problem: "gave up after 4 tries"},
		"503, then well":         {server: &flaky{faults: faults{status(503), status(503)}}, ranges: []string{"", "", ""}},
		"503 for ever":           {server: &flaky{faults: faults{status(503), status(503), status(503), status(503)}}, problem: "503 Service Unavailable: no; run again to resume"},
		"429 and 408":            {server: &flaky{faults: faults{status(429, "Retry-After", "0"), status(408)}}},
		"404":                    {server: &flaky{faults: faults{status(404)}}, ranges: []string{""}, problem: "404 Not Found: no; check the address"},
		"403":                    {server: &flaky{faults: faults{status(403)}}, ranges: []string{""}, problem: "check the token in --header-file"},
		"no ranges":              {server: &flaky{noRanges: true}, ranges: []string{""}},
		"a weak tag and a cut":   {server: &flaky{tag: `W/"1"`, faults: faults{cut(1000)}}, sum: sum(model), ranges: []string{"", ""}},
		"ranges refused": {server: &flaky{faults: faults{cut(1000), func(_ http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			return false
		}}}, sum: sum(model), ranges: []string{"", ""}},
		"wrong content": {server: &flaky{}, sum: sum("other"), problem: "expected " + sum("other")},
		"changed meanwhile": {server: &flaky{faults: faults{cut(1000), func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("ETag", `"v2"`)
			return false
		}}}, problem: `the content changed meanwhile, from "v1" to "v2"; run again`},
		"no response, then one": {server: &flaky{faults: faults{hang}}},
		"stalls half-way": {server: &flaky{faults: faults{func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", strconv.Itoa(len(model)))
			_, _ = w.Write([]byte(model[:500]))
			_ = http.NewResponseController(w).Flush()
			return hang(w, r)
		}}}, sum: sum(model), ranges: []string{"", "bytes=500-"}},
		"other bytes than requested": {server: &flaky{faults: faults{cut(1000), func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-9/%d", len(model)))
			w.WriteHeader(http.StatusPartialContent)
			return true
		}}}, sum: sum(model), ranges: []string{"", "bytes=1000-", "bytes=1000-"}},
		"more than announced": {server: &flaky{faults: faults{func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte(model + "more"))
			return true
		}}}, problem: "more came than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, to := test.server.start(t), t.TempDir()
			_, err := run(t, url, to, withSHA256(test.sum), func(o *fetch.Options) { o.Stall = 500 * time.Millisecond })
			if test.ranges != nil {
				assert.Equal(t, test.ranges, test.server.ranges())
			}
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				assert.Empty(t, readable(t, to))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, sum(model), sum(readable(t, to)["iris.onnx"]))
		})
	}
}

// TestInterruptedResumes cancels in the middle, as SIGTERM does, and runs again.
func TestInterruptedResumes(t *testing.T) {
	t.Parallel()
	half := make(chan struct{})
	server := &flaky{faults: []func(http.ResponseWriter, *http.Request) bool{func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(model)))
		_, _ = w.Write([]byte(model[:len(model)/2]))
		_ = http.NewResponseController(w).Flush()
		close(half)
		return hang(w, r)
	}}}
	url, to := server.start(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var log journal
	done := make(chan error)
	go func() {
		_, err := fetch.Fetch(ctx, url, to, options(&log))
		done <- err
	}()
	<-half
	require.Eventually(t, func() bool { return partSize(t, to) == int64(len(model)/2) }, 10*time.Second, time.Millisecond)
	cancel()
	err := <-done
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "the next run resumes from there")
	assert.Empty(t, readable(t, to))

	report, err := run(t, url, to, withSHA256(sum(model)))
	require.NoError(t, err)
	assert.Equal(t, int64(len(model)/2), report.Bytes)
	ranges := server.ranges()
	assert.Equal(t, fmt.Sprintf("bytes=%d-", len(model)/2), ranges[len(ranges)-1])
	assert.Equal(t, server.tag, server.seen[len(server.seen)-1].Header.Get("If-Range"))

	report, err = run(t, url, to, withSHA256(sum(model)))
	require.NoError(t, err)
	assert.Equal(t, fetch.Report{Present: 1}, report)
}

func partSize(t *testing.T, to string) (size int64) {
	t.Helper()
	parts, err := filepath.Glob(filepath.Join(to, ".fetch/parts/*"))
	require.NoError(t, err)
	for _, part := range parts {
		info, err := os.Stat(part)
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}

// TestSpoiledPart has wrong bytes of an earlier run: they are fetched again.
func TestSpoiledPart(t *testing.T) {
	t.Parallel()
	server := &flaky{faults: []func(http.ResponseWriter, *http.Request) bool{cut(1000), status(404)}}
	url, to := server.start(t), t.TempDir()
	_, err := run(t, url, to)
	require.Error(t, err)
	parts, err := filepath.Glob(filepath.Join(to, ".fetch/parts/*"))
	require.NoError(t, err)
	require.Len(t, parts, 1)
	require.NoError(t, os.WriteFile(parts[0], bytes.Repeat([]byte("x"), 1000), 0o644))
	_, err = run(t, url, to, withSHA256(sum(model)))
	require.NoError(t, err)
	assert.Equal(t, sum(model), sum(readable(t, to)["iris.onnx"]))
}

func TestWebHeaders(t *testing.T) {
	t.Parallel()
	var other http.Header
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		other = r.Header.Clone()
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("m"))
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusFound)
	}))
	defer server.Close()
	headers, err := source.ParseHeaders([]byte("# a token\nX-Token: secret\n\n"))
	require.NoError(t, err)

	_, err = run(t, server.URL+"/iris.onnx", t.TempDir())
	require.ErrorContains(t, err, "401 Unauthorized; check the token in --header-file")
	_, err = run(t, server.URL+"/iris.onnx", t.TempDir(), func(o *fetch.Options) { o.Headers = headers })
	require.NoError(t, err)
	assert.Empty(t, other.Get("X-Token"), "the token went to another host")
}

func TestWebRefusals(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>Log in</title>"))
	}))
	defer page.Close()
	_, err := run(t, page.URL+"/iris.onnx", t.TempDir())
	require.ErrorContains(t, err, "responds with a web page")
	_, err = run(t, page.URL+"/iris.onnx", t.TempDir(), func(o *fetch.Options) { o.Insecure = false })
	require.ErrorContains(t, err, "add --insecure")
	page.Close()
	_, err = run(t, page.URL+"/iris.onnx?signature=secret", t.TempDir())
	require.ErrorContains(t, err, "gave up after 4 tries")
	assert.NotContains(t, err.Error(), "secret")
}

// TestWhatAServerSendsIsTheFile refuses responses that may be something else, or cut.
func TestWhatAServerSendsIsTheFile(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content := "m"
		if strings.HasPrefix(r.URL.Path, "/encoded") {
			w.Header().Set("Content-Encoding", "x-gzip")
		}
		if strings.HasSuffix(r.URL.Path, ".tgz") {
			content = zipped(t, tarOf(t, entry{name: "iris.onnx", text: "m"}))
		}
		if strings.HasPrefix(r.URL.Path, "/part") {
			w.Header().Set("Content-Range", "bytes 0-0/*")
			w.WriteHeader(http.StatusPartialContent)
		}
		if !strings.HasPrefix(r.URL.Path, "/unknown") {
			_, _ = io.WriteString(w, content)
			return
		}
		connection, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"+content)
		assert.NoError(t, connection.Close())
	}))
	defer server.Close()
	for path, test := range map[string]struct{ sum, problem string }{
		"/iris.onnx":         {},
		"/encoded/iris.onnx": {problem: "encoded as x-gzip, which was not requested"},
		"/encoded/iris.tgz":  {},
		"/part/iris.onnx":    {problem: "requested the whole file, got a part"},
		"/unknown/iris.onnx": {problem: "a cut could not be noticed; name the file's --sha256"},
		"/unknown/sum.onnx":  {sum: sum("m")},
		"/unknown/iris.tgz":  {},
	} {
		to := t.TempDir()
		_, err := run(t, server.URL+path, to, withSHA256(test.sum))
		if test.problem != "" {
			require.ErrorContains(t, err, test.problem)
			assert.Empty(t, readable(t, to))
			continue
		}
		require.NoError(t, err, path)
		assert.Len(t, readable(t, to), 1, path)
	}
}

// TestProgressBar draws where the terminal would be.
func TestProgressBar(t *testing.T) {
	t.Parallel()
	var terminal journal
	_, err := run(t, (&flaky{}).start(t), t.TempDir(), func(o *fetch.Options) { o.Terminal = &terminal })
	require.NoError(t, err)
	assert.Contains(t, terminal.String(), "fetch")
}
