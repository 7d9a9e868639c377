package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"slipway/server/api"
	"slipway/server/httpapi"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// call is one request of the benchmarks; the empty handler gets the same.
type call struct{ path, body string }

var (
	tinyRows = call{"/predict/tiny", `{"instances":[[1]]}`}
	tinyOIP  = call{"/v2/models/tiny/infer", `{"id":"1","inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`}
)

// handlers are the whole server, with metrics and access log, over a model of
// one addition, and a router whose handler does nothing.
func handlers(b *testing.B) (ours, empty http.Handler) {
	b.Helper()
	gin.SetMode(gin.ReleaseMode)
	b.Cleanup(func() { gin.SetMode(gin.TestMode) })
	log := telemetry.NewLogger(io.Discard, slog.LevelInfo)
	metrics := telemetry.NewMetrics(prometheus.NewRegistry(), telemetry.Build{Version: "test"})
	repository := onnxtest.Repository(b, map[string]string{"tiny/1/model.onnx": "constant_1"})
	catalog := serving.NewCatalog(serving.Options{Folder: repository, Processors: 1}, log, metrics)
	b.Cleanup(catalog.Close)
	require.NoError(b, catalog.LoadAll(b.Context()))
	a := &httpapi.API{
		API:          api.New(api.Options{Catalog: catalog, Metrics: metrics, Log: log, Access: log, Version: "test"}),
		MaxBodyBytes: 1 << 20,
	}
	r := gin.New()
	for _, path := range []string{"/predict/:model", "/v2/models/:model/infer"} {
		r.POST(path, func(c *gin.Context) { c.Status(http.StatusOK) })
	}
	return a.Handler(), r
}

// BenchmarkTinyPredict and BenchmarkEmptyGin are the same requests on the same
// kept-alive connections: the second is the most that a server on gin can do.
func BenchmarkTinyPredict(b *testing.B) {
	ours, _ := handlers(b)
	b.Run("tcp/rows", func(b *testing.B) { overTCP(b, ours, tinyRows) })
	b.Run("tcp/oip", func(b *testing.B) { overTCP(b, ours, tinyOIP) })
	b.Run("direct/rows", func(b *testing.B) { direct(b, ours, tinyRows) })
	b.Run("direct/oip", func(b *testing.B) { direct(b, ours, tinyOIP) })
}

func BenchmarkEmptyGin(b *testing.B) {
	_, empty := handlers(b)
	b.Run("tcp/rows", func(b *testing.B) { overTCP(b, empty, tinyRows) })
	b.Run("tcp/oip", func(b *testing.B) { overTCP(b, empty, tinyOIP) })
	b.Run("direct/rows", func(b *testing.B) { direct(b, empty, tinyRows) })
	b.Run("direct/oip", func(b *testing.B) { direct(b, empty, tinyOIP) })
}

// overTCP calls from eight connections at once. cpu-ns/op has the client in it,
// which is the same few instructions for both handlers.
func overTCP(b *testing.B, h http.Handler, c call) {
	s := httptest.NewServer(h)
	defer s.Close()
	address := s.Listener.Addr().String()
	b.ReportAllocs()
	b.SetParallelism(max(1, 8/runtime.GOMAXPROCS(0)))
	start := processorTime(b)
	b.RunParallel(func(pb *testing.PB) {
		conn := dial(b, address, c)
		defer conn.conn.Close()
		for pb.Next() {
			if err := conn.send(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
}

// direct leaves out the network and what net/http does of HTTP.
func direct(b *testing.B, h http.Handler, c call) {
	body := strings.NewReader(c.body)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, c.path, body)
	r.Header.Set("Content-Type", "application/json")
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	start := processorTime(b)
	for b.Loop() {
		body.Reset(c.body)
		clear(w.header)
		h.ServeHTTP(w, r)
		require.Equal(b, http.StatusOK, w.status)
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
}

// discard is a http.ResponseWriter that keeps no body.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header            { return d.header }
func (d *discard) WriteHeader(status int)         { d.status = status }
func (d *discard) Write(body []byte) (int, error) { return len(body), nil }

// connection is a client that does no more than it must.
type connection struct {
	conn      net.Conn
	responses *bufio.Reader
	request   []byte
}

func dial(b *testing.B, address string, c call) *connection {
	conn, err := net.Dial("tcp", address)
	require.NoError(b, err)
	request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: tiny\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		c.path, len(c.body), c.body)
	return &connection{conn: conn, responses: bufio.NewReader(conn), request: []byte(request)}
}

func (c *connection) send() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	line, err := c.responses.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("got %q", line)
	}
	length := 0
	for {
		line, err := c.responses.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err = c.responses.Discard(length)
	return err
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
