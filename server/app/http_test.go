package app

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
	"slipway/server/onnx/onnxtest"
)

// The settings of HTTP reach the listener: how long an idle connection stays, and which pages may call.
func TestHTTPSettings(t *testing.T) {
	for idle, closes := range map[time.Duration]bool{50 * time.Millisecond: true, config.Default().HTTP.IdleTimeout: false} {
		o := options(onnxtest.Iris(t), io.Discard)
		o.Config.HTTP.IdleTimeout = idle
		o.Config.HTTP.CORS.AllowedOrigins = []string{"https://app.example"}
		a, err := New(t.Context(), o)
		require.NoError(t, err)
		a.Start()
		c, err := net.Dial("tcp", strings.TrimPrefix(a.url(t, "http"), "http://"))
		require.NoError(t, err)
		_, err = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n")
		require.NoError(t, err)
		r := bufio.NewReader(c)
		response, err := http.ReadResponse(r, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		assert.Equal(t, "https://app.example", response.Header.Get("Access-Control-Allow-Origin"))

		wait := 500 * time.Millisecond
		if closes {
			wait = 20 * time.Second
		}
		require.NoError(t, c.SetReadDeadline(time.Now().Add(wait)))
		_, err = r.ReadByte()
		assert.Equal(t, closes, err == io.EOF, err) //nolint:errorlint // the connection's own
		require.NoError(t, c.Close())
		require.NoError(t, a.Stop())
	}
}
