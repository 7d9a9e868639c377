package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"slipway/server/oip"
)

const (
	messageHeader = 5 // before each message

	// smallMessage bounds the messages of all methods but those of predictions.
	smallMessage = 64 << 10
	// openMessage bounds the messages that need no key: a health check is a name.
	openMessage = 4 << 10
)

// isPrediction has the methods whose messages carry tensors.
var isPrediction = map[string]bool{
	oip.GRPCInferenceService_ModelInfer_FullMethodName:       true,
	oip.GRPCInferenceService_ModelStreamInfer_FullMethodName: true,
}

// isStream has the methods that may wait for a message for long.
var isStream = map[string]bool{
	oip.GRPCInferenceService_ModelStreamInfer_FullMethodName:         true,
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      true,
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": true,
	healthpb.Health_Watch_FullMethodName:                             true,
}

// messageLimit returns the most bytes of a message of a method.
func (a *API) messageLimit(method string) int64 {
	switch {
	case isPrediction[method]:
		return int64(a.MaxMessageBytes)
	case openMethods[method]:
		return openMessage
	}
	return smallMessage
}

// tap begins the flow of a call when its headers have arrived. grpc calls it on the
// goroutine that reads the connection. A method that is not served is refused here:
// no handler would end its flow.
func (a *API) tap(served map[string]bool) tap.ServerInHandle {
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		if !served[info.FullMethodName] {
			return ctx, status.Errorf(codes.Unimplemented, "unknown method %.200q", info.FullMethodName)
		}
		p, _ := peer.FromContext(ctx)
		addr, ok := p.Addr.(connAddr)
		if !ok {
			return ctx, nil // not a connection of a Listener
		}
		f, within, err := a.newFlow(ctx, info.FullMethodName)
		if err != nil {
			return ctx, statusOf(err)
		}
		if !addr.conn.begin(f) {
			f.charge.Release()
			return ctx, status.Error(codes.Unavailable, "the connection is closed")
		}
		return within, nil
	}
}
