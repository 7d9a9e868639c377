package grpcapi_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

func TestKeys(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, everyModel), func(o *api.Options) { o.Keys = keys })
	for name, test := range map[string]struct {
		metadata []string
		code     codes.Code
	}{
		"none":         {nil, codes.Unauthenticated},
		"wrong":        {[]string{"authorization", "Bearer nope"}, codes.Unauthenticated},
		"basic":        {[]string{"authorization", "Basic s3cret"}, codes.Unauthenticated},
		"bearer":       {[]string{"authorization", "Bearer s3cret"}, codes.OK},
		"header":       {[]string{"x-api-key", "s3cret"}, codes.OK},
		"wrong header": {[]string{"x-api-key", "s3cre"}, codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := metadata.AppendToOutgoingContext(t.Context(), test.metadata...)
			stream, err := f.ModelStreamInfer(ctx)
			require.NoError(t, err)
			require.NoError(t, stream.CloseSend())
			_, streamErr := stream.Recv()
			response, err := f.ModelInfer(ctx, float32s(1))
			if test.code == codes.OK {
				require.NoError(t, err)
				assert.Equal(t, "plus", response.GetModelName())
				assert.ErrorIs(t, streamErr, io.EOF)
				return
			}
			refused(t, err, test.code, "API key")
			refused(t, streamErr, test.code, "API key")
		})
	}
	_, err = f.ServerReady(t.Context(), &oip.ServerReadyRequest{})
	assert.NoError(t, err)
	_, err = healthpb.NewHealthClient(f.conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	assert.NoError(t, err, "probes have no key")
	assert.Contains(t, f.log.String(), `"key":"team-a"`)
	assert.NotContains(t, f.log.String(), "s3cre")
}

func TestAccessLogAndMetrics(t *testing.T) {
	f := startAll(t)
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "abc")
	_, err := f.ModelInfer(ctx, float32s(1), grpc.Header(&header))
	require.NoError(t, err)
	assert.Equal(t, []string{"abc"}, header.Get("x-request-id"))
	_, err = f.ModelInfer(ctx, &oip.ModelInferRequest{ModelName: "made-up"})
	refused(t, err, codes.NotFound)
	_, err = f.ServerLive(t.Context(), &oip.ServerLiveRequest{})
	require.NoError(t, err)

	var requests []map[string]any
	assert.Eventually(t, func() bool { // the line is written after the response
		requests = nil
		for line := range strings.Lines(f.log.String()) {
			fields := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(line), &fields))
			if fields["msg"] == "request" {
				requests = append(requests, fields)
			}
		}
		return len(requests) == 2
	}, 5*time.Second, time.Millisecond)
	for key, want := range map[string]any{
		"request_id": "abc", "protocol": "grpc", "method": "ModelInfer", "path": "/inference.GRPCInferenceService/ModelInfer",
		"model": "plus", "version": "1", "status": "OK",
	} {
		assert.Equal(t, want, requests[0][key], key)
	}
	assert.Empty(t, requests[1]["model"], "what a client made up is no label")
	assert.Equal(t, "NotFound", requests[1]["status"])
	assert.NoError(t, testutil.GatherAndCompare(f.registry, strings.NewReader(`
# HELP slipway_requests_in_flight Predictions under way.
# TYPE slipway_requests_in_flight gauge
slipway_requests_in_flight 0
`), "slipway_requests_in_flight"))
	assert.Equal(t, map[string]int{"NotFound grpc": 1, "OK plus grpc 1": 1}, answered(t, f.registry))
}

// answered returns how many predictions were answered, by the values of their labels.
func answered(t *testing.T, r *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	all := map[string]int{}
	for _, family := range families {
		if family.GetName() != "slipway_requests_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			var labels []string
			for _, label := range metric.GetLabel() {
				if label.GetValue() != "" {
					labels = append(labels, label.GetValue())
				}
			}
			if n := int(metric.GetCounter().GetValue()); n > 0 {
				all[strings.Join(labels, " ")] = n
			}
		}
	}
	return all
}

// A stream has its responses in the order of its requests and continues after one that failed.
func TestStream(t *testing.T) {
	f := startAll(t)
	stream, err := f.ModelStreamInfer(t.Context())
	require.NoError(t, err)
	const n = 200 // more than are under way at once
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			r := float32s(float32(i))
			if r.Id = string(rune('a' + i%26)); i%10 == 3 {
				r.ModelName = "nope"
			}
			if err := stream.Send(r); err != nil {
				sent <- err
				return
			}
		}
		sent <- stream.CloseSend()
	}()
	for i := range n {
		response, err := stream.Recv()
		require.NoError(t, err)
		assert.Equal(t, string(rune('a'+i%26)), response.GetInferResponse().GetId())
		if i%10 == 3 {
			assert.Contains(t, response.GetErrorMessage(), `"nope"`)
			continue
		}
		assert.Empty(t, response.GetErrorMessage())
		assert.Equal(t, []float32{float32(i) + 2}, response.GetInferResponse().GetOutputs()[0].GetContents().GetFp32Contents())
		assert.True(t, response.GetInferResponse().GetParameters()["triton_final_response"].GetBoolParam())
	}
	_, err = stream.Recv()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, <-sent)
	assert.Equal(t, map[string]int{"NotFound grpc": n / 10, "OK plus grpc 1": n - n/10}, answered(t, f.registry))
}

func TestStreamThatBreaks(t *testing.T) {
	f := startAll(t)
	stream, err := f.ModelStreamInfer(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(float32s(1)))
	require.NoError(t, stream.Send(float32s(make([]float32, 1<<18)...)))
	_, err = stream.Recv()
	for err == nil {
		_, err = stream.Recv()
	}
	refused(t, err, codes.ResourceExhausted)
}

func TestHealth(t *testing.T) {
	f := startAll(t)
	health := healthpb.NewHealthClient(f.conn)
	check := func(service string) string {
		response, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		return response.GetStatus().String()
	}
	for _, service := range []string{"", "inference.GRPCInferenceService", "plus"} {
		assert.Equal(t, "SERVING", check(service), service)
	}
	_, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "nope"})
	refused(t, err, codes.NotFound, `"nope"`)
	list, err := health.List(t.Context(), &healthpb.HealthListRequest{})
	require.NoError(t, err)
	assert.Len(t, list.GetStatuses(), 1+len(everyModel))

	watch, err := health.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "plus"})
	require.NoError(t, err)
	state, err := watch.Recv()
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_SERVING, state.GetStatus())

	f.api.Drain()
	f.api.Drain()
	state, err = watch.Recv()
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_NOT_SERVING, state.GetStatus())
	_, err = watch.Recv()
	refused(t, err, codes.Unavailable, "shutting down")
	assert.Equal(t, "NOT_SERVING", check(""))
	assert.Equal(t, "NOT_SERVING", check("plus"))
	ready, err := f.ServerReady(t.Context(), &oip.ServerReadyRequest{})
	require.NoError(t, err)
	assert.False(t, ready.GetReady())
	_, err = f.ModelInfer(t.Context(), float32s(1))
	assert.NoError(t, err, "requests are still served")
}

func TestNotReady(t *testing.T) {
	f := start(t, "", nil)
	live, err := f.ServerLive(t.Context(), &oip.ServerLiveRequest{})
	require.NoError(t, err)
	assert.True(t, live.GetLive())
	ready, err := f.ServerReady(t.Context(), &oip.ServerReadyRequest{})
	require.NoError(t, err)
	assert.False(t, ready.GetReady())
	state, err := healthpb.NewHealthClient(f.conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_NOT_SERVING, state.GetStatus())
	_, err = f.ModelInfer(t.Context(), float32s(1))
	refused(t, err, codes.Unavailable, "being loaded")
}

func TestReflection(t *testing.T) {
	f := startAll(t)
	stream, err := reflectionpb.NewServerReflectionClient(f.conn).ServerReflectionInfo(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}))
	response, err := stream.Recv()
	require.NoError(t, err)
	var names []string
	for _, s := range response.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	assert.Contains(t, names, "inference.GRPCInferenceService")
	assert.Contains(t, names, "grpc.health.v1.Health")
	require.NoError(t, stream.CloseSend())
}

// A handler that panics returns Internal, reveals nothing and takes nothing down.
func TestPanic(t *testing.T) {
	f := startAll(t)
	panics := func(_ context.Context, _ any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		panic("secret")
	}
	conn, _ := serve(t, f.api.Server(false, grpc.ChainUnaryInterceptor(panics)))
	client := oip.NewGRPCInferenceServiceClient(conn)
	for range 2 {
		_, err := client.ModelInfer(t.Context(), float32s(1))
		refused(t, err, codes.Internal, "internal error")
		assert.NotContains(t, err.Error(), "secret")
	}
	assert.Contains(t, f.log.String(), "secret")
	assert.Equal(t, map[string]int{"Internal grpc": 2}, answered(t, f.registry))
}
