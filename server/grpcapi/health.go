package grpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/serving"
)

// watchInterval is how often Watch looks: the catalog does not say when it changes.
const watchInterval = time.Second

// health is gRPC's health protocol. The service names are the protocol's own,
// and those of the models.
type health struct {
	healthpb.UnimplementedHealthServer
	*API
}

// Check answers at once.
func (h *health) Check(_ context.Context, r *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	now := h.state(r.GetService())
	if now == healthpb.HealthCheckResponse_SERVICE_UNKNOWN {
		return nil, fault.New(fault.NotFound, "no service and no model is called %q", r.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: now}, nil
}

// List answers for the server and every model.
func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	all := map[string]*healthpb.HealthCheckResponse{"": {Status: h.state("")}}
	for _, m := range h.Catalog.Models() {
		all[m.Name] = &healthpb.HealthCheckResponse{Status: h.state(m.Name)}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch answers now and at each change, until the client leaves or the server
// drains: a watch that stayed would keep the server from stopping.
func (h *health) Watch(r *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	look := time.NewTicker(watchInterval)
	defer look.Stop()
	said := healthpb.HealthCheckResponse_UNKNOWN
	for {
		last := h.shuttingDown()
		if now := h.state(r.GetService()); now != said {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			said = now
		}
		if last != nil {
			return last
		}
		select {
		case <-h.drained():
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-look.C:
		}
	}
}

// state is whether the server, or one model, should be asked.
func (h *health) state(service string) healthpb.HealthCheckResponse_ServingStatus {
	err := h.ready()
	if service != "" && service != oip.GRPCInferenceService_ServiceDesc.ServiceName && h.shuttingDown() == nil {
		var m *serving.Model
		if m, err = h.Catalog.Model(service); err == nil {
			err = m.Ready()
		}
	}
	switch {
	case err == nil:
		return healthpb.HealthCheckResponse_SERVING
	case fault.CodeOf(err) == fault.NotFound:
		return healthpb.HealthCheckResponse_SERVICE_UNKNOWN
	}
	return healthpb.HealthCheckResponse_NOT_SERVING
}
