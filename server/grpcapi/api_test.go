package grpcapi_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/grpcapi"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

func TestMain(m *testing.M) { onnxtest.Main(m) }

// fixture is an API over a repository of test models, behind a real server.
type fixture struct {
	oip.GRPCInferenceServiceClient
	api      *grpcapi.API
	conn     *grpc.ClientConn
	listener *grpcapi.Listener
	budget   *admission.Budget
	admin    oip.GRPCInferenceServiceClient
	registry *prometheus.Registry
	log      *record
}

// record is what was logged, for several goroutines.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func start(t testing.TB, repository string, change func(*api.Options)) *fixture {
	t.Helper()
	f := &fixture{log: &record{}, registry: prometheus.NewRegistry()}
	log := telemetry.NewLogger(f.log, slog.LevelDebug)
	metrics := telemetry.NewMetrics(f.registry, telemetry.Build{Version: "test"})
	catalog := serving.NewCatalog(serving.Options{Folder: repository, Processors: 1}, log, metrics)
	budget := admission.NewBudget(256 << 20)
	f.budget = budget
	t.Cleanup(func() { assert.Zero(t, budget.Used(), "what was charged is given back") })
	options := api.Options{Catalog: catalog, Metrics: metrics, Log: log, Access: log, Version: "test", Memory: budget}
	if change != nil {
		change(&options)
	}
	f.api = &grpcapi.API{API: api.New(options), MaxMessageBytes: 1 << 20}
	t.Cleanup(catalog.Close)
	if repository != "" {
		require.NoError(t, catalog.LoadAll(t.Context()))
	}
	f.conn, f.listener = serve(t, f.api.Server(false))
	f.GRPCInferenceServiceClient = oip.NewGRPCInferenceServiceClient(f.conn)
	admin, _ := serve(t, f.api.Server(true))
	f.admin = oip.NewGRPCInferenceServiceClient(admin)
	return f
}

func startAll(t testing.TB) *fixture { return start(t, onnxtest.Repository(t, everyModel), nil) }

// serve runs a server until the test ends and connects to it.
func serve(t testing.TB, s *grpc.Server) (*grpc.ClientConn, *grpcapi.Listener) {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	calls := grpcapi.Listen(listener)
	var running sync.WaitGroup
	running.Go(func() { assert.NoError(t, s.Serve(calls)) })
	conn, err := grpc.NewClient("passthrough:///pipe", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		s.GracefulStop()
		running.Wait()
	})
	return conn, calls
}

// refused checks that an error has that code and each part in its message.
func refused(t testing.TB, err error, code codes.Code, parts ...string) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, code.String(), status.Code(err).String(), err)
	for _, part := range parts {
		assert.Contains(t, status.Convert(err).Message(), part)
	}
}

var everyModel = map[string]string{
	"plus/1/model.onnx":     "constant_2",
	"simple/1/model.onnx":   "add_sub",
	"gather/1/model.onnx":   "gather",
	"sequence/1/model.onnx": "sequence",
	"empty/1/model.onnx":    "empty",
	"slow/1/model.onnx":     "slow",
}

// float32s is a request to the model plus, whose x has the shape [n,1].
func float32s(values ...float32) *oip.ModelInferRequest {
	return &oip.ModelInferRequest{ModelName: "plus", Inputs: []*oip.ModelInferRequest_InferInputTensor{{
		Name: "x", Datatype: "FP32", Shape: []int64{int64(len(values)), 1}, Contents: &oip.InferTensorContents{Fp32Contents: values},
	}}}
}
