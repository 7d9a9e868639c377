package grpcapi

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

const requestIDKey = "x-request-id"

// call is what the log and the metrics say of a call. Model and version are
// empty unless they are in the catalog: what a client made up is no label.
type call struct {
	method, id, key string
	model, version  string
}

type callKey struct{}

// asks notes which version the call of a context is for.
func asks(ctx context.Context, v *serving.Version) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.model, c.version = v.Model, v.Number
	}
}

// requestID takes the caller's id if it is fit for a log line, else makes one.
func requestID(ctx context.Context) string {
	id := first(ctx, requestIDKey)
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		id = uuid.NewString()
	}
	return id
}

// observe runs one call, logs it unless it is a probe's, and counts and times
// it if it is a prediction. What it returns is nil or a status.
func (a *API) observe(ctx context.Context, c *call, answer func(context.Context) error) error {
	ctx = context.WithValue(ctx, callKey{}, c)
	if openMethods[c.method] {
		return statusOf(a.recovered(ctx, c, answer))
	}
	began := time.Now()
	predicts := c.method == oip.GRPCInferenceService_ModelInfer_FullMethodName
	if predicts {
		a.Metrics.Began()
	}
	header := metadata.MD{requestIDKey: []string{c.id}}
	if a.Tracing {
		tellSpan(ctx, header)
	}
	_ = grpc.SetHeader(ctx, header) // fails only once the headers are sent
	err := statusOf(a.recovered(ctx, c, answer))
	took := time.Since(began)
	a.logAccess(ctx, c, err, took)
	if predicts {
		a.answered(c, err, took)
	}
	return err
}

func (a *API) answered(c *call, err error, took time.Duration) {
	a.Metrics.Answered(telemetry.Request{
		Model: c.model, Version: c.version, Protocol: "grpc", Code: status.Code(err).String(), Duration: took,
	})
}

// serverFaults are the codes whose reason is worth a log line; what the client
// got wrong is told to the client, and the log holds no payload.
var serverFaults = map[codes.Code]bool{
	codes.Internal: true, codes.Unknown: true, codes.Unavailable: true, codes.DeadlineExceeded: true,
}

func (a *API) logAccess(ctx context.Context, c *call, err error, took time.Duration) {
	code := status.Code(err)
	line := append(make([]slog.Attr, 0, 10),
		slog.String("request_id", c.id), slog.String("protocol", "grpc"),
		slog.String("method", c.method[strings.LastIndexByte(c.method, '/')+1:]), slog.String("path", c.method),
		slog.String("model", c.model), slog.String("version", c.version),
		slog.String("status", code.String()), slog.Float64("seconds", took.Seconds()),
	)
	if c.key != "" {
		line = append(line, slog.String("key", c.key))
	}
	if serverFaults[code] {
		line = append(line, slog.String("error", status.Convert(err).Message()))
	}
	a.Log.LogAttrs(ctx, slog.LevelInfo, "request", line...)
}
