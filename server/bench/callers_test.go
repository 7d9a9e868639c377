package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/server/bench"
	"slipway/server/codec"
)

// canned responds to every request of one length with the same bytes, so that a
// benchmark measures little but the client.
func canned(b *testing.B, request int, response []byte) (address string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for buffer := make([]byte, request); ; {
					if _, err := io.ReadFull(conn, buffer); err != nil {
						return
					}
					if _, err := conn.Write(response); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// BenchmarkCallers compares our client with net/http's, on a server that costs both the same.
func BenchmarkCallers(b *testing.B) {
	response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSlipway-Model: m\r\nSlipway-Version: 1\r\n"+
		"Date: Wed, 25 Nov 2026 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", len(right), right)
	r, err := bench.ReadRequest([]byte(request))
	require.NoError(b, err)
	encoded := codec.AppendRequest(nil, r)
	b.Run("ours", func(b *testing.B) {
		head := len("POST /v2/models/m/infer HTTP/1.1\r\nHost: 127.0.0.1:00000\r\nContent-Length: 000\r\nContent-Type: application/json\r\n\r\n")
		address := canned(b, head+len(encoded), response)
		dial, err := bench.Target{URL: address, Protocol: bench.RESTJSON, Model: "m", Timeout: time.Second}.Prepare(r, nil)
		require.NoError(b, err)
		caller, err := dial()
		require.NoError(b, err)
		defer caller.Close()
		b.ReportAllocs()
		for b.Loop() {
			if o := caller.Call(); o.Status != bench.StatusOK {
				b.Fatal(o)
			}
		}
	})
	b.Run("net/http", func(b *testing.B) {
		head := len("POST /v2/models/m/infer HTTP/1.1\r\nHost: 127.0.0.1:00000\r\nUser-Agent: b\r\nContent-Length: 000\r\nContent-Type: application/json\r\n\r\n")
		address := canned(b, head+len(encoded), response)
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: time.Second}
		b.ReportAllocs()
		for b.Loop() {
			request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v2/models/m/infer", bytes.NewReader(encoded))
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("User-Agent", "b")
			response, err := client.Do(request)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil {
				b.Fatal(err)
			}
			response.Body.Close()
		}
	})
}
