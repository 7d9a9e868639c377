package telemetry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"slipway/server/telemetry"
)

func TestTraceRecordsPhasesBelowTheRequest(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	ctx, request := otel.Tracer("test").Start(t.Context(), "request")
	began := time.Now()
	telemetry.Trace(ctx, "m", "1", 4, telemetry.Phase{Name: "decode", From: began, To: began.Add(time.Second)})
	request.End()

	spans := recorder.Ended()
	require.Len(t, spans, 2)
	assert.Equal(t, "decode", spans[0].Name())
	assert.Equal(t, request.SpanContext().SpanID(), spans[0].Parent().SpanID())
	assert.Equal(t, time.Second, spans[0].EndTime().Sub(spans[0].StartTime()))
	assert.Contains(t, spans[1].Attributes(), attribute.Int("slipway.batch_size", 4))
}
