package fetch_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/fetch"
)

// printed fetches from where it fails, and returns the log and the error.
func printed(t *testing.T, from string, change ...func(*fetch.Options)) string {
	t.Helper()
	var log journal
	o := options(&log)
	o.Retries = 1
	for _, f := range change {
		f(&o)
	}
	_, err := fetch.Fetch(t.Context(), from, t.TempDir(), o)
	require.Error(t, err)
	return log.String() + err.Error()
}

const (
	commands = "\x1b]0;title\x07\x1b[2J\u009b31m\u202e" // to a terminal
	control  = "\x1b\x07\u009b\u202e"
)

// TestSecretsAreNotPrinted has servers show what they were sent, and redirect to signed
// URLs.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		user, password, _ := r.BasicAuth()
		_, _ = io.WriteString(w, strings.Join([]string{"you are", user, password, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("X-Token"), commands}, " "))
	}
	for path, location := range map[string]string{
		"/echo.onnx":     "",
		"/dead.onnx":     "http://127.0.0.1:1/a.onnx?X-Amz-Signature=hunter2&X-Amz-Credential=hunter2",
		"/user.onnx":     "http://ann:hunter2@127.0.0.1:1/a.onnx",
		"/wrong.onnx":    "http://host/%zz?sig=hunter2",
		"/relative.onnx": "/%zz?sig=hunter2",
		"/scheme.onnx":   "ftp://host/a.onnx?token=hunter2",
		"/commands.onnx": "http://" + commands + "/a.onnx?token=hunter2",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if location == "" {
				echo(w, r)
				return
			}
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		})
	}
	host := strings.TrimPrefix(server.URL, "http://")
	withToken := func(o *fetch.Options) {
		o.Headers = http.Header{"X-Token": {"Bearer hunter2"}}
	}
	for _, from := range []string{
		"http://ann:hunter2@" + host + "/echo.onnx",
		"http://" + host + "/echo.onnx?sig=hunter2",
		"http://hunter2@" + host + "/echo.onnx",
		server.URL + "/echo.onnx",
		server.URL + "/dead.onnx", server.URL + "/user.onnx", server.URL + "/wrong.onnx", server.URL + "/relative.onnx",
		server.URL + "/scheme.onnx", server.URL + "/commands.onnx",
		"oci://ann:hunter2@" + host + "/models/iris:1",
		"oci://ann:x/hunter2@" + host + "/models/iris:1",
		"s3://ann:hunter2@bucket/p",
		"http:/ann:hunter2@" + host + "/echo.onnx",
		"ann:hunter2@" + host + "/echo.onnx",
		"http://ann:hun%ter2-hunter2@" + host + "/echo.onnx",
		"http://ann:hun/hunter2@" + host + "/echo.onnx",
		"ftp://ann:hunter2@" + host + "/echo.onnx",
	} {
		text := printed(t, from, withToken)
		assert.NotContains(t, text, "hunter2", from)
		assert.NotContains(t, text, "hun%", from)
		assert.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte("ann:hunter2")), from)
		assert.False(t, strings.ContainsAny(text, control), "%s: %q", from, text)
	}
}

// TestServersTextsAreQuoted has a text of a server in each place that is printed.
func TestServersTextsAreQuoted(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:1/"+commands+"\"")
		w.Header().Set("Content-Type", "application/json")
		w.Header()["Etag"] = []string{"\"" + time.Now().String() + "\u009b31m\""}
		if r.URL.Path == "/tag.onnx" {
			_, _ = io.WriteString(w, "m")
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors": [{"code": "UNAUTHORIZED", "message": "`+"\u009b31m\u202e"+`\u001b[2J"}]}`)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for _, from := range []string{server.URL + "/a.onnx", server.URL + "/tag.onnx", "oci://" + host + "/models/iris:1", "s3://bucket/p?region=x&endpoint=" + server.URL} {
		text := printed(t, from)
		assert.False(t, strings.ContainsAny(text, control), "%s: %q", from, text)
	}
}

// TestRefererIsNotSent keeps a signature from the host that a server redirects to.
func TestRefererIsNotSent(t *testing.T) {
	t.Parallel()
	var referer string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		referer += r.Referer()
		_, _ = io.WriteString(w, "m")
	}))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer server.Close()
	_, err := run(t, server.URL+"/iris.onnx?sig=secret", t.TempDir())
	require.NoError(t, err)
	assert.Empty(t, referer)
}
