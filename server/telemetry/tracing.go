package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const scope = "slipway"

// StartTracing sends the process's spans to an OTLP receiver over gRPC. Until it
// is called, a span costs next to nothing. stop sends the remaining spans.
func StartTracing(ctx context.Context, endpoint string, sampleRatio float64, version string) (stop func(context.Context) error, err error) {
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("start tracing to %s: %w", endpoint, err)
	}
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override these.
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "slipway"), attribute.String("service.version", version),
	), resource.WithFromEnv(), resource.WithHost())
	if err != nil {
		return nil, fmt.Errorf("start tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter), sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(sampleRatio))),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	return provider.Shutdown, nil
}

// Phase is a finished part of a request.
type Phase struct {
	Name     string
	From, To time.Time
}

// Trace records the phases of a request as spans below that of ctx.
func Trace(ctx context.Context, model, version string, batchSize int, phases ...Phase) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return
	}
	parent.SetAttributes(
		attribute.String("slipway.model", model), attribute.String("slipway.version", version),
		attribute.Int("slipway.batch_size", batchSize),
	)
	tracer := otel.Tracer(scope)
	for _, p := range phases {
		_, span := tracer.Start(ctx, p.Name, trace.WithTimestamp(p.From))
		span.End(trace.WithTimestamp(p.To))
	}
}
