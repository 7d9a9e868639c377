package grpcapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"slipway/server/api"
	"slipway/server/grpcapi"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
	"slipway/server/telemetry"
)

// empty is what grpc-go costs by itself: it responds without looking.
type empty struct {
	oip.UnimplementedGRPCInferenceServiceServer
	response *oip.ModelInferResponse
}

func (e *empty) ModelInfer(context.Context, *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	return e.response, nil
}

// BenchmarkInfer compares a tiny model's whole call with an empty handler's,
// over TCP, from as many callers at once as RunParallel starts.
func BenchmarkInfer(b *testing.B) {
	f := start(b, onnxtest.Repository(b, everyModel), func(o *api.Options) {
		o.Access = telemetry.NewLogger(io.Discard, slog.LevelInfo)
	})
	raw := float32s(1)
	raw.Inputs[0].Contents, raw.RawInputContents = nil, [][]byte{{0, 0, 0x80, 0x3f}}
	response, err := f.ModelInfer(b.Context(), raw)
	require.NoError(b, err)
	baseline := grpc.NewServer()
	oip.RegisterGRPCInferenceServiceServer(baseline, &empty{response: response})
	nothing := listen(b, baseline, func(l net.Listener) net.Listener { return l })
	ours := listen(b, f.api.Server(false), func(l net.Listener) net.Listener { return grpcapi.Listen(l) })
	for _, run := range []struct {
		name    string
		client  oip.GRPCInferenceServiceClient
		request *oip.ModelInferRequest
	}{
		{"empty", nothing, raw},
		{"raw", ours, raw},
		{"typed", ours, float32s(1)},
	} {
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			began := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := run.client.ModelInfer(b.Context(), run.request); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64((processorTime(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process, client and server, has used: a busy
// machine makes a call wait, and no dearer.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// listen runs a server on a TCP port until the benchmark ends and connects to it.
func listen(b *testing.B, s *grpc.Server, charged func(net.Listener) net.Listener) oip.GRPCInferenceServiceClient {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var running sync.WaitGroup
	running.Go(func() { assert.NoError(b, s.Serve(charged(listener))) })
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(b, err)
	b.Cleanup(func() {
		assert.NoError(b, conn.Close())
		s.GracefulStop()
		running.Wait()
	})
	return oip.NewGRPCInferenceServiceClient(conn)
}
