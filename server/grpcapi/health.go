package grpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"slipway/server/fault"
	"slipway/server/oip"
)

// watchInterval is how often Watch looks: the catalog does not report its changes.
const watchInterval = time.Second

// health is gRPC's health protocol. The service names are the protocol's own,
// and those of the models.
type health struct {
	healthpb.UnimplementedHealthServer
	*API
}

// Check returns the state of one service.
func (h *health) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	now := h.state(r.GetService())
	if now == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, fault.New(fault.NotFound, "no service and no model is called %q", r.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: now}, nil
}

// List returns the state of the server and of every model.
func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{"": {Status: h.state("")}}
	for _, m := range h.Catalog.Models() {
		all[m.Name] = &healthpb.HealthCheckResponse{Status: h.state(m.Name)}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch sends the state now and at each change, until the client leaves or the
// server drains: a watch that stayed would keep the server from stopping.
func (h *health) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	look := time.NewTicker(watchInterval)
	defer look.Stop()
	sent := healthpb.HealthCheckResponse_UNKNOWN
	for {
		last := h.ShuttingDown()
		if now := h.state(r.GetService()); now != sent {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			sent = now
		}
		if last != nil {
			return last
		}
		select {
		case <-h.Draining():
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-look.C:
		}
	}
}

// state is whether requests for the server, or for one model, should come here.
func (h *health) state(service string) healthpb.HealthCheckResponse_ServingStatus {
	var err error
	switch service {
	case "", oip.GRPCInferenceService_ServiceDesc.ServiceName:
		err = h.Ready()
	default:
		err = h.ModelReady(service)
	}
	switch {
	case err == nil:
		return healthpb.HealthCheckResponse_SERVING
	case fault.CodeOf(err) == fault.NotFound:
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}
