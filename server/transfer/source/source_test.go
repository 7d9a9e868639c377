package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/api/googleapi"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"slipway/server/transfer"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "iris/1"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "iris/1/model.onnx"), []byte("model"), 0o644))
	s, err := Open(t.Context(), transfer.Location{Scheme: transfer.File, Path: folder}, Options{})
	require.NoError(t, err)
	assert.False(t, s.Single())
	objects, err := s.List(t.Context())
	require.NoError(t, err)
	require.Len(t, objects, 1)
	o := objects[0]
	assert.Equal(t, "iris/1/model.onnx", o.Name)
	assert.Equal(t, int64(5), o.Size)
	body, at, err := s.Open(t.Context(), o, 2)
	require.NoError(t, err)
	rest, err := io.ReadAll(body)
	require.NoError(t, errors.Join(err, body.Close(), s.Close()))
	assert.Equal(t, int64(2), at)
	assert.Equal(t, "del", string(rest))

	for name, content := range map[string]string{"same": "model", "other": "mode1", "longer": "model!"} {
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
		assert.Equal(t, name == "same", o.Same(file), name)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		scheme string
		status int
		advice string
	}{
		"web":                    {&StatusError{Code: 403}, transfer.HTTPS, 403, "check the token in --header-file"},
		"web, busy":              {&StatusError{Code: 503}, transfer.HTTPS, 503, ""},
		"Google":                 {&googleapi.Error{Code: 403}, transfer.GS, 403, "check the Google credentials (GOOGLE_APPLICATION_CREDENTIALS, or the pod's workload identity)"},
		"Azure":                  {&azcore.ResponseError{StatusCode: 412}, transfer.Azure, 412, "it was replaced meanwhile: run again"},
		"registry":               {&errcode.ErrorResponse{StatusCode: 404}, transfer.OCI, 404, "check the address"},
		"registry without login": {auth.ErrBasicCredentialNotFound, transfer.OCI, 401, "check the registry's login in $DOCKER_CONFIG/config.json or ~/.docker/config.json"},
		"no such tag":            {errdef.ErrNotFound, transfer.OCI, 404, "check the address"},
		"plain HTTP":             {http.ErrSchemeMismatch, transfer.OCI, 0, "it speaks plain http: add --insecure if that is meant"},
		"a cut":                  {io.ErrUnexpectedEOF, transfer.S3, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("download: %w", test.err)
			assert.Equal(t, test.status, Status(err))
			assert.Equal(t, test.advice, Advice(test.scheme, err))
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, expected := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		"-1":                            0,
		"soon":                          0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:03:05 GMT": 0,
	} {
		assert.Equal(t, expected, retryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
}

// TestFolderChanged has a file replaced after it was listed.
func TestFolderChanged(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.onnx")
	require.NoError(t, os.WriteFile(file, []byte("one"), 0o644))
	s, err := Open(t.Context(), transfer.Location{Scheme: transfer.File, Path: file}, Options{})
	require.NoError(t, err)
	objects, err := s.List(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(file, time.Time{}, time.Unix(1, 0)))
	_, _, err = s.Open(t.Context(), objects[0], 0)
	require.ErrorContains(t, err, "changed meanwhile; run again")
}

func TestFollow(t *testing.T) {
	t.Parallel()
	request := func(url string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		return r
	}
	secure := request("https://host/a")
	secure.Header.Set("Referer", "https://other/a?sig=secret")
	require.NoError(t, Options{}.follow(secure, nil))
	assert.Empty(t, secure.Referer())
	require.ErrorContains(t, Options{}.follow(request("http://host/a"), nil), "redirects to plain http")
	require.NoError(t, Options{Insecure: true}.follow(request("http://host/a"), nil))
	require.ErrorContains(t, Options{}.follow(secure, make([]*http.Request, 11)), "more than 10 redirects")
}

// TestRegistryIsNotRedirectedToPlainHTTP has a tag, whose digest nobody knows, be
// resolved where it could be changed.
func TestRegistryIsNotRedirectedToPlainHTTP(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("requested %s", r.URL) }))
	defer plain.Close()
	server := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	s, err := Open(t.Context(), transfer.Location{Scheme: transfer.OCI, Rest: server.Listener.Addr().String() + "/models/iris:1"}, Options{})
	require.NoError(t, err)
	client := s.(*image).Client.(*auth.Client).Client
	client.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	_, err = s.List(t.Context())
	require.ErrorContains(t, err, "redirects to plain http")
	require.NoError(t, s.Close())
}
