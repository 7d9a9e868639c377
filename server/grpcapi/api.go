package grpcapi

import (
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // clients may compress
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"slipway/server/config"
	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// API answers gRPC calls for a catalog's models.
type API struct {
	Catalog         *serving.Catalog
	Keys            *config.Keys // nil: open to everybody
	Metrics         *telemetry.Metrics
	Log             *slog.Logger
	MaxMessageBytes int    // of a request
	Version         string // of the server
	Tracing         bool   // make spans

	once     sync.Once
	draining chan struct{} // closed by Drain
}

// maxStreams bounds the calls of one connection that are under way.
const maxStreams = 1000

// connectionAge is when a client is asked to connect anew: behind a Service a
// connection stays with its pod, and a new pod would get nothing.
const connectionAge = 10 * time.Minute

// Server has every service. One for administration loads and unloads models too.
func (a *API) Server(admin bool, extra ...grpc.ServerOption) *grpc.Server {
	if a.Tracing {
		extra = append(extra, tracing())
	}
	s := grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(a.MaxMessageBytes),
		grpc.MaxConcurrentStreams(maxStreams),
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
	return s
}

// Drain makes the server not ready; calls are still answered.
func (a *API) Drain() {
	if a.shuttingDown() == nil {
		close(a.draining)
	}
}

// drained is closed once draining has begun.
func (a *API) drained() chan struct{} {
	a.once.Do(func() { a.draining = make(chan struct{}) })
	return a.draining
}

// shuttingDown is nil until draining has begun.
func (a *API) shuttingDown() error {
	select {
	case <-a.drained():
		return fault.New(fault.Unavailable, "the server is shutting down")
	default:
		return nil
	}
}

// ready is nil when requests should come here, else the reason.
func (a *API) ready() error {
	if err := a.shuttingDown(); err != nil {
		return err
	}
	return a.Catalog.Ready()
}

// service is the Open Inference Protocol on one of the ports.
type service struct {
	oip.UnimplementedGRPCInferenceServiceServer
	*API

	admin bool
}
