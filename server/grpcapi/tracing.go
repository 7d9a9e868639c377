package grpcapi

import (
	"context"
	"maps"
	"slices"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
)

// tracing makes a span of each call but the probes', below the caller's if it
// sent one.
func tracing() grpc.ServerOption {
	return grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithFilter(func(i *stats.RPCTagInfo) bool { return !openMethods[i.FullMethodName] }),
	))
}

// injectSpan adds the call's span to the metadata of its response.
func injectSpan(ctx context.Context, header metadata.MD) {
	otel.GetTextMapPropagator().Inject(ctx, carrier(header))
}

// carrier is metadata as the propagators see it.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() []string { return slices.Collect(maps.Keys(c)) }
