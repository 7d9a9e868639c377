package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"slipway/server/api"
	"slipway/server/fault"
	"slipway/server/grpcapi"
	"slipway/server/httpapi"
	"slipway/server/oip"
	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
	"slipway/server/trial"
)

// TestMain makes this binary the child of trials too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "trial" {
		setUp := func(library string, _ trial.Limits) error { return onnx.Init(library) }
		if err := trial.Main(setUp, serving.Prove); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	gin.SetMode(gin.TestMode)
	onnxtest.Main(m)
}

// fixture is one API behind both protocols, on the ports for clients and for
// administration.
type fixture struct {
	api         *api.API
	rest, admin *httptest.Server
	rpc         *grpc.ClientConn
	rpcAdmin    *grpc.ClientConn
	registry    *prometheus.Registry
	log, access *lines
}

// lines has what was logged, for several goroutines.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// with returns the lines that have a message.
func (l *lines) with(t testing.TB, message string) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		if fields["msg"] == message {
			all = append(all, fields)
		}
	}
	return all
}

func start(t testing.TB, repository string, change func(*api.Options)) *fixture {
	t.Helper()
	return startCatalog(t, serving.Options{Folder: repository}, change)
}

func startCatalog(t testing.TB, o serving.Options, change func(*api.Options)) *fixture {
	t.Helper()
	o.Processors, o.IntraOpThreads = 2, 1
	f := &fixture{log: &lines{}, access: &lines{}, registry: prometheus.NewRegistry()}
	log := telemetry.NewLogger(f.log, slog.LevelDebug)
	metrics := telemetry.NewMetrics(f.registry, telemetry.Build{Version: "test"})
	catalog := serving.NewCatalog(o, log, metrics)
	t.Cleanup(catalog.Close)
	if o.Folder != "" {
		require.NoError(t, catalog.LoadAll(t.Context()))
	}
	options := api.Options{
		Catalog: catalog, Metrics: metrics, Log: log, Access: telemetry.NewLogger(f.access, slog.LevelInfo), Version: "test",
	}
	if change != nil {
		change(&options)
	}
	f.api = api.New(options)
	rest, rpc := &httpapi.API{API: f.api, MaxBodyBytes: 1 << 20}, &grpcapi.API{API: f.api, MaxMessageBytes: 1 << 20}
	f.rest, f.admin = httptest.NewServer(rest.Handler()), httptest.NewServer(rest.AdminHandler(f.registry))
	t.Cleanup(f.rest.Close)
	t.Cleanup(f.admin.Close)
	f.rpc, f.rpcAdmin = serve(t, rpc.Server(false)), serve(t, rpc.Server(true))
	return f
}

// serve runs a server until the test ends and connects to it.
func serve(t testing.TB, s *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() { assert.NoError(t, s.Serve(listener)) })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		s.GracefulStop()
		running.Wait()
	})
	return conn
}

// get returns the body of a REST response, which must be a success.
func (f *fixture) get(t testing.TB, path string) string {
	t.Helper()
	code, body := f.request(t, f.rest, http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, code, body)
	return body
}

func (f *fixture) request(t testing.TB, s *httptest.Server, method, path, body string, headers ...string) (code int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := s.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(all)
}

func (f *fixture) client() oip.GRPCInferenceServiceClient {
	return oip.NewGRPCInferenceServiceClient(f.rpc)
}

// prediction is a request for a prediction that both protocols can make: the
// model's one input is a column of numbers.
type prediction struct {
	model, input, datatype string
	values                 []int64
	parameters             map[string]int64
	metadata               []string // keys and values
}

// protocols make a prediction and return nil or what came back as one of our errors.
var protocols = map[string]func(t testing.TB, f *fixture, p prediction) error{
	"REST": func(t testing.TB, f *fixture, p prediction) error {
		request := map[string]any{
			"inputs": []any{map[string]any{"name": p.input, "datatype": p.datatype, "shape": p.shape(), "data": p.values}},
		}
		if p.parameters != nil {
			request["parameters"] = p.parameters
		}
		body, err := json.Marshal(request)
		require.NoError(t, err)
		code, text := f.request(t, f.rest, http.MethodPost, "/v2/models/"+p.model+"/infer", string(body), p.metadata...)
		return restError(code, text)
	},
	"gRPC": func(t testing.TB, f *fixture, p prediction) error {
		contents := &oip.InferTensorContents{Int64Contents: p.values}
		if p.datatype == "FP32" {
			contents = &oip.InferTensorContents{}
			for _, v := range p.values {
				contents.Fp32Contents = append(contents.Fp32Contents, float32(v))
			}
		}
		r := &oip.ModelInferRequest{ModelName: p.model, Parameters: map[string]*oip.InferParameter{}}
		r.Inputs = []*oip.ModelInferRequest_InferInputTensor{{Name: p.input, Datatype: p.datatype, Shape: p.shape(), Contents: contents}}
		for name, value := range p.parameters {
			r.Parameters[name] = &oip.InferParameter{ParameterChoice: &oip.InferParameter_Int64Param{Int64Param: value}}
		}
		_, err := f.client().ModelInfer(metadata.AppendToOutgoingContext(t.Context(), p.metadata...), r)
		return rpcError(err)
	},
}

func (p prediction) shape() []int64 {
	if p.datatype == "INT64" {
		return []int64{int64(len(p.values))}
	}
	return []int64{int64(len(p.values)), 1}
}

// plus is a prediction of the model plus.
func plus() prediction {
	return prediction{model: "plus", input: "x", datatype: "FP32", values: []int64{1}}
}

// slow is a prediction that takes until the test ends, if it may.
func slow() prediction {
	return prediction{model: "slow", input: "n", datatype: "INT64", values: []int64{1 << 40}}
}

var restCodes = map[int]fault.Code{
	http.StatusBadRequest: fault.InvalidArgument, http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.PermissionDenied,
	http.StatusNotFound: fault.NotFound, http.StatusTooManyRequests: fault.Overloaded, http.StatusServiceUnavailable: fault.Unavailable,
	http.StatusInternalServerError: fault.Internal, http.StatusGatewayTimeout: fault.DeadlineExceeded,
}

var rpcCodes = map[codes.Code]fault.Code{
	codes.InvalidArgument: fault.InvalidArgument, codes.Unauthenticated: fault.Unauthenticated, codes.PermissionDenied: fault.PermissionDenied,
	codes.NotFound: fault.NotFound, codes.ResourceExhausted: fault.Overloaded, codes.Unavailable: fault.Unavailable,
	codes.Internal: fault.Internal, codes.DeadlineExceeded: fault.DeadlineExceeded,
}

func restError(code int, body string) error {
	if code == http.StatusOK {
		return nil
	}
	var reply struct{ Error string }
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		return err
	}
	kind, known := restCodes[code]
	if !known {
		return fault.New(fault.Internal, "status %s: %s", strconv.Itoa(code), reply.Error)
	}
	return fault.New(kind, "%s", reply.Error)
}

func rpcError(err error) error {
	if err == nil {
		return nil
	}
	kind, known := rpcCodes[status.Code(err)]
	if !known {
		return err
	}
	return fault.New(kind, "%s", status.Convert(err).Message())
}

// refused checks that an error is of a kind and has each part in its text.
func refused(t testing.TB, err error, kind fault.Code, parts ...string) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, kind, fault.CodeOf(err), err)
	for _, part := range parts {
		assert.ErrorContains(t, err, part)
	}
}

// occupy runs the model slow until the test ends.
func occupy(t testing.TB, f *fixture) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		p := slow()
		_, err := f.client().ModelInfer(ctx, &oip.ModelInferRequest{
			ModelName: p.model, RawInputContents: [][]byte{{0, 0, 0, 0, 0, 1, 0, 0}},
			Inputs: []*oip.ModelInferRequest_InferInputTensor{{Name: p.input, Datatype: p.datatype, Shape: p.shape()}},
		})
		assert.Equal(t, codes.Canceled, status.Code(err), err)
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	v, err := f.api.Catalog.Choose("slow", "")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return v.Admit(0) != nil }, 10*time.Second, time.Millisecond)
}
