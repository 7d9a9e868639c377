package httpapi_test

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

var encoders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
}

// A body ends where its encoding does.
func TestEndOfAnEncodedBody(t *testing.T) {
	f := startAll(t)
	const body = `{"instances":[[1]]}`
	for encoding, encode := range encoders {
		whole := packed(t, encode, body)
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/plus", whole, "Content-Encoding", encoding).status)
		f.do(t, http.MethodPost, "/predict/plus", whole+"more", "Content-Encoding", encoding).refused(t, http.StatusBadRequest, "")
		f.do(t, http.MethodPost, "/predict/plus", whole+whole[:1], "Content-Encoding", encoding).refused(t, http.StatusBadRequest, "")
		f.do(t, http.MethodPost, "/predict/plus", whole[:len(whole)-1], "Content-Encoding", encoding).refused(t, http.StatusBadRequest, "the "+encoding+" data has no end")
		f.do(t, http.MethodPost, "/predict/plus", "", "Content-Encoding", encoding).refused(t, http.StatusBadRequest, "the "+encoding+" data has no end")
	}
	parts := packed(t, encoders["gzip"], body[:5]) + packed(t, encoders["gzip"], body[5:])
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/plus", parts, "Content-Encoding", "gzip").status, "gzip may have several members")
}

// A client that has gone is noticed however its body was sent, and its run ends.
func TestAClientThatHasGone(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"}), nil)
	const body = `{"inputs":[1099511627776]}`
	const lastChunk = "0\r\n\r\n"
	chunked := func(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }
	inFlight := func(n int) func() bool {
		return func() bool {
			return strings.Contains(do(t, f.admin, http.MethodGet, "/metrics", "").body, fmt.Sprintf("\nslipway_requests_in_flight %d\n", n))
		}
	}
	for name, request := range map[string]string{
		"plain":             fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
		"in chunks":         "Transfer-Encoding: chunked\r\n\r\n" + chunked(body),
		"gzip":              fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(packed(t, encoders["gzip"], body)), packed(t, encoders["gzip"], body)),
		"gzip in chunks":    "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(packed(t, encoders["gzip"], body)),
		"deflate in chunks": "Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(packed(t, encoders["deflate"], body)),
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, f.server)
			send(t, c, "POST /predict/slow HTTP/1.1\r\nHost: x\r\n"+request)
			require.Eventually(t, inFlight(1), 10*time.Second, 5*time.Millisecond)
			if strings.Contains(request, "chunked") {
				send(t, c, lastChunk)
			}
			require.NoError(t, c.Close())
			require.Eventually(t, inFlight(0), 10*time.Second, 5*time.Millisecond)
		})
	}
}
