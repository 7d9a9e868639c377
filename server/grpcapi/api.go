package grpcapi

import (
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"slipway/server/api"
	"slipway/server/oip"
)

// API serves gRPC calls.
type API struct {
	*api.API

	MaxMessageBytes int // of a request

	receiving sync.WaitGroup // of messages
}

// Wait waits for what calls have left behind. It must be called when the servers have
// stopped.
func (a *API) Wait() { a.receiving.Wait() }

// maxStreams bounds the calls in flight on one connection.
const maxStreams = 1000

// streamWorkers is how many goroutines are kept for calls. A call that finds none free
// has one of its own, whose stack has to grow first: that is a tenth of a tiny call's
// processor time (BenchmarkInfer, with and without).
const streamWorkers = 64

// maxHeaderBytes bounds the metadata of a call.
const maxHeaderBytes = 32 << 10

// connectionAge is when a client must connect anew: behind a Service a
// connection stays with its pod, and a new pod would get nothing.
const connectionAge = 10 * time.Minute

// Server returns a server of every service. One for administration loads and
// unloads models too.
func (a *API) Server(admin bool, extra ...grpc.ServerOption) *grpc.Server {
	if a.Tracing {
		extra = append(extra, tracing())
	}
	served := map[string]bool{}
	s := grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(a.MaxMessageBytes),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.ReadBufferSize(0), // a conn has its own
		grpc.InTapHandle(a.tap(served)),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 2 * time.Minute, Timeout: 20 * time.Second, MaxConnectionAge: connectionAge,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.ChainStreamInterceptor(a.guardStream),
	}, extra...)...)
	s.RegisterService(a.guarded(&oip.GRPCInferenceService_ServiceDesc), &service{API: a, admin: admin})
	s.RegisterService(a.guarded(&healthpb.Health_ServiceDesc), &health{API: a})
	reflection.Register(s)
	for name, info := range s.GetServiceInfo() {
		for _, m := range info.Methods {
			served["/"+name+"/"+m.Name] = true
		}
	}
	return s
}

// service is the Open Inference Protocol on one of the ports.
type service struct {
	oip.UnimplementedGRPCInferenceServiceServer
	*API

	admin bool
}
