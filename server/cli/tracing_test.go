package cli

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// receiver is an OTLP receiver that keeps the names of spans by trace.
type receiver struct {
	collector.UnimplementedTraceServiceServer

	mu    sync.Mutex
	spans map[string][]string
}

func (r *receiver) Export(_ context.Context, m *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range m.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans[string(span.GetTraceId())] = append(r.spans[string(span.GetTraceId())], span.GetName())
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// TestTracing checks that each request of either protocol is a span of its caller's
// trace, with a span for each phase below it, and that the response names the trace.
func TestTracing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &receiver{spans: map[string][]string{}}
	otlp := grpc.NewServer()
	collector.RegisterTraceServiceServer(otlp, r)
	go otlp.Serve(listener) //nolint:errcheck // Stop ends it
	t.Cleanup(otlp.Stop)

	configuration := "shutdown: {delay: 0s}\ntracing: {endpoint: 'http://" + listener.Addr().String() + "'}\n"
	s := serve(t, "--config", write(t, configuration), "--models", onnxtest.Iris(t))
	s.ready(t)
	const overHTTP, overGRPC = "0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"
	parent := func(trace string) string { return "00-" + trace + "-b7ad6b7169203331-01" }

	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/predict", strings.NewReader(`{"instances": [[6.8, 2.8, 4.8, 1.4]]}`))
	require.NoError(t, err)
	request.Header.Set("Traceparent", parent(overHTTP))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Contains(t, response.Header.Get("Traceparent"), overHTTP)

	connection, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	var header metadata.MD
	_, err = oip.NewGRPCInferenceServiceClient(connection).ModelInfer(
		metadata.AppendToOutgoingContext(t.Context(), "traceparent", parent(overGRPC)),
		&oip.ModelInferRequest{ModelName: "iris", Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: "X", Datatype: "FP32", Shape: []int64{1, 4}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{1, 2, 3, 4}},
		}}}, grpc.Header(&header))
	require.NoError(t, err)
	assert.Contains(t, strings.Join(header.Get("traceparent"), ""), overGRPC)

	require.NoError(t, s.Process.Signal(syscall.SIGTERM)) // which exports the remaining spans
	log, exit := s.ended(t)
	require.Zero(t, exit, log)
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Len(t, r.spans, 2, "the probes are not traced")
	for trace, names := range r.spans {
		slices.Sort(names)
		require.Len(t, names, 5, "%x: %v", trace, names)
		for _, phase := range []string{"decode", "encode", "queue", "run"} {
			assert.Contains(t, names, phase)
		}
	}
}
