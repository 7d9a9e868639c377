package grpcapi_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"slipway/server/oip"
)

// A compressed message ends where its encoding does.
func TestEndOfACompressedMessage(t *testing.T) {
	f := startAll(t)
	message, err := proto.Marshal(float32s(1))
	require.NoError(t, err)
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(f.api.HTTPHandler(f.api.Server(true)))
	server.Config.Protocols = protocols
	server.Start()
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	call := func(encoding string, body []byte) (codes.Code, string) {
		framed := append(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(body))), body...)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+oip.GRPCInferenceService_ModelInfer_FullMethodName, bytes.NewReader(framed))
		require.NoError(t, err)
		r.Header = http.Header{"Content-Type": {"application/grpc"}, "Grpc-Encoding": {encoding}, "Te": {"trailers"}}
		response, err := client.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		status := response.Trailer
		if status.Get("Grpc-Status") == "" {
			status = response.Header
		}
		code, err := strconv.Atoi(status.Get("Grpc-Status"))
		require.NoError(t, err)
		return codes.Code(code), status.Get("Grpc-Message")
	}
	for encoding, compress := range map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	} {
		var b bytes.Buffer
		w := compress(&b)
		_, err := w.Write(message)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		code, _ := call(encoding, b.Bytes())
		assert.Equal(t, codes.OK, code, encoding)
		code, text := call(encoding, append(b.Bytes(), "more"...))
		assert.Equal(t, codes.InvalidArgument, code, encoding)
		assert.Contains(t, text, "decompress the message", encoding)
	}
}
