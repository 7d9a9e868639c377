package grpcapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"slipway/server/admission"
	"slipway/server/grpcapi"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

const soon = 10 * time.Second

// open begins a call and waits until the server has it.
func (f *fixture) open(t *testing.T, method string, o ...grpc.CallOption) grpc.ClientStream {
	t.Helper()
	before := f.budget.Used()
	stream, err := f.conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method, o...)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.budget.Used() > before }, soon, time.Millisecond)
	return stream
}

// A message that does not arrive ends its call.
func TestALateMessage(t *testing.T) {
	f := startAll(t)
	call := f.open(t, oip.GRPCInferenceService_ModelInfer_FullMethodName)
	assert.EventuallyWithT(t, func(c *assert.CollectT) { // once the handler waits for it
		f.listener.Sweep(time.Now().Add(grpcapi.MessageTime / 2))
		f.listener.Sweep(time.Now().Add(grpcapi.MessageTime + time.Second))
		assert.Zero(c, f.budget.Used())
	}, soon, time.Millisecond)
	refused(t, call.RecvMsg(&oip.ModelInferResponse{}), codes.DeadlineExceeded, "no message has arrived for 1m0s")
}

// A unary call whose client does not end it is late too.
func TestACallThatDoesNotEnd(t *testing.T) {
	f := startAll(t)
	call := f.open(t, oip.GRPCInferenceService_ModelInfer_FullMethodName)
	require.NoError(t, call.SendMsg(float32s(1)))
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		f.listener.Sweep(time.Now().Add(grpcapi.MessageTime + time.Second))
		assert.Zero(c, f.budget.Used())
	}, soon, time.Millisecond)
	refused(t, call.RecvMsg(&oip.ModelInferResponse{}), codes.DeadlineExceeded, "no message has arrived for 1m0s")
}

// A stream may be silent for longer, but not while a message is arriving.
func TestASilentStream(t *testing.T) {
	f := startAll(t)
	stream, err := f.ModelStreamInfer(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(float32s(1)))
	_, err = stream.Recv()
	require.NoError(t, err)
	f.listener.Sweep(time.Now().Add(grpcapi.MessageTime + time.Second))
	require.NoError(t, stream.Send(float32s(1)))
	_, err = stream.Recv()
	require.NoError(t, err)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		f.listener.Sweep(time.Now().Add(grpcapi.StreamIdle + time.Second))
		assert.Zero(c, f.budget.Used())
	}, soon, time.Millisecond)
	_, err = stream.Recv()
	refused(t, err, codes.DeadlineExceeded, "no message has arrived for 10m0s")
}

// A response that nobody reads is held until its client is disconnected, as it is: its
// compressed form would not be charged.
func TestAResponseThatNobodyReads(t *testing.T) {
	for name, o := range map[string][]grpc.CallOption{"plain": nil, "of a compressed request": {grpc.UseCompressor(gzip.Name)}} {
		t.Run(name, func(t *testing.T) { testAResponseThatNobodyReads(t, o...) })
	}
}

func testAResponseThatNobodyReads(t *testing.T, o ...grpc.CallOption) {
	t.Helper()
	f := start(t, onnxtest.Repository(t, map[string]string{"fill/1/model.onnx": "fill"}), nil)
	const bytes = 4 << 20
	call := f.open(t, oip.GRPCInferenceService_ModelInfer_FullMethodName, o...)
	require.NoError(t, call.SendMsg(&request{ModelName: "fill", Inputs: []*input{{
		Name: "shape", Datatype: "INT64", Shape: []int64{2}, Contents: &contents{Int64Contents: []int64{1, bytes / 4}},
	}}}))
	require.NoError(t, call.CloseSend())
	require.Eventually(t, func() bool { return f.budget.UsedBy(admission.Encode) >= bytes && f.budget.UsedBy(admission.Run) == 0 },
		soon, time.Millisecond, "the version is released, the response is held")
	f.listener.Sweep(time.Now().Add(grpcapi.WriteStall / 2))
	assert.Never(t, func() bool { return f.budget.UsedBy(admission.Encode) < bytes }, 300*time.Millisecond, 10*time.Millisecond)
	assert.EventuallyWithT(t, func(c *assert.CollectT) { // once grpc has it
		f.listener.Sweep(time.Now().Add(grpcapi.WriteStall + time.Second))
		assert.Zero(c, f.budget.Used())
	}, soon, time.Millisecond)
}

// Only predictions take long messages, and what needs no key the least.
func TestLimitsOfMethods(t *testing.T) {
	f := startAll(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, call := range map[string]func(name string, o ...grpc.CallOption) error{
		"open": func(name string, o ...grpc.CallOption) error {
			_, err := healthpb.NewHealthClient(f.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: name}, o...)
			return err
		},
		"metadata": func(name string, o ...grpc.CallOption) error {
			_, err := f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: name}, o...)
			return err
		},
	} {
		limit := map[string]int{"open": grpcapi.OpenMessage, "metadata": grpcapi.SmallMessage}[name]
		refused(t, call(long(limit-100)), codes.NotFound)
		refused(t, call(long(limit+100)), codes.ResourceExhausted, "longer than")
		refused(t, call(long(limit+100), grpc.UseCompressor(gzip.Name)), codes.ResourceExhausted, "longer than")
		refused(t, call(long(200*limit), grpc.UseCompressor(gzip.Name)), codes.ResourceExhausted, "longer than")
	}
}

// Without memory a call is refused at its headers, with the time to wait.
func TestNoMemoryForACall(t *testing.T) {
	f := startAll(t)
	var held []*admission.Charge
	for range f.budget.Limit() / admission.Small {
		c := f.budget.Charge()
		require.NoError(t, c.Add(admission.Run, admission.Small))
		held = append(held, c)
	}
	_, err := f.ModelInfer(t.Context(), float32s(1))
	refused(t, err, codes.ResourceExhausted, "memory")
	require.Len(t, status.Convert(err).Details(), 1)
	assert.Positive(t, status.Convert(err).Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
	for _, c := range held {
		c.Release()
	}
	_, err = f.ModelInfer(t.Context(), float32s(1))
	assert.NoError(t, err)
}

// A message that finds no memory while it arrives ends with the reason; one of a
// stream has it as its response.
func TestNoMemoryForAMessage(t *testing.T) {
	f := startAll(t)
	f.budget.SetLimit(512 << 10)
	values := make([]float32, 200<<10)
	_, err := f.ModelInfer(t.Context(), float32s(values...))
	refused(t, err, codes.ResourceExhausted, "memory.budget")
	_, err = f.ModelInfer(t.Context(), float32s(values...), grpc.UseCompressor(gzip.Name))
	refused(t, err, codes.ResourceExhausted, "memory.budget")

	stream, err := f.ModelStreamInfer(t.Context(), grpc.UseCompressor(gzip.Name))
	require.NoError(t, err)
	require.NoError(t, stream.Send(float32s(values...)))
	response, err := stream.Recv()
	require.NoError(t, err)
	assert.Contains(t, response.GetErrorMessage(), "memory.budget")
	require.NoError(t, stream.Send(float32s(1)))
	response, err = stream.Recv()
	require.NoError(t, err)
	assert.Empty(t, response.GetErrorMessage())
	require.NoError(t, stream.CloseSend())
}

// A method that is not served is refused before anything of its message is read.
func TestUnknownMethod(t *testing.T) {
	f := startAll(t)
	err := f.conn.Invoke(t.Context(), "/inference.GRPCInferenceService/Nothing", &oip.ServerLiveRequest{}, &oip.ServerLiveResponse{})
	refused(t, err, codes.Unimplemented, "Nothing")
}

// A response over its own limit is refused, whatever memory there is.
func TestResponsesOverTheLimit(t *testing.T) {
	f := startAll(t)
	f.api.MaxResponseBytes = 1000
	_, err := f.ModelInfer(t.Context(), float32s(make([]float32, 300)...))
	refused(t, err, codes.ResourceExhausted, "memory.maxResponseBytes")
	_, err = f.ModelInfer(t.Context(), float32s(1))
	assert.NoError(t, err)
}

// A stream that is silent ends when the server is to stop; what has been sent on it is
// answered.
func TestStreamsEndWhenTheServerStops(t *testing.T) {
	f := startAll(t)
	stream, err := f.ModelStreamInfer(t.Context())
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, stream.Send(float32s(1)))
	}
	for range 3 {
		response, err := stream.Recv()
		require.NoError(t, err)
		assert.Empty(t, response.GetErrorMessage())
	}
	f.api.Stop()
	_, err = stream.Recv()
	refused(t, err, codes.Unavailable, "shutting down")
	f.api.Stop()

	stream, err = f.ModelStreamInfer(t.Context()) // one that comes in the last moment
	require.NoError(t, err)
	_, err = stream.Recv()
	refused(t, err, codes.Unavailable, "shutting down")
}
