package grpcapi

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"slipway/server/api"
	"slipway/server/oip"
)

const requestIDKey = "x-request-id"

type callKey struct{}

// newCall returns a call of a method. A stream is no prediction: each of its
// requests is one.
func newCall(method, id string) *api.Call {
	return &api.Call{
		ID:       id,
		Protocol: "grpc", Method: method[strings.LastIndexByte(method, '/')+1:], Path: method,
		Prediction: method == oip.GRPCInferenceService_ModelInfer_FullMethodName,
		Silent:     openMethods[method],
	}
}

// callOf returns the call that a method's context carries.
func callOf(ctx context.Context) *api.Call { return ctx.Value(callKey{}).(*api.Call) }

// observe serves one call, logs it unless it is a probe's, and counts and times
// it if it is a prediction. What it returns is nil or a status.
func (a *API) observe(ctx context.Context, c *api.Call, serve func(context.Context) error) error {
	if !c.Silent {
		header := metadata.MD{requestIDKey: []string{c.ID}}
		if a.Tracing {
			injectSpan(ctx, header)
		}
		_ = grpc.SetHeader(ctx, header) // fails only once the headers are sent
	}
	return a.observed(ctx, c, serve)
}

// observed is observe without response headers, which a request of a stream does
// not have.
func (a *API) observed(ctx context.Context, c *api.Call, serve func(context.Context) error) error {
	ctx = context.WithValue(ctx, callKey{}, c)
	a.Begin(c)
	err := statusOf(a.recovered(ctx, c, serve))
	a.Finish(ctx, c, result(err))
	return err
}

// recovered returns what serve returns, or an error in place of its panic.
func (a *API) recovered(ctx context.Context, c *api.Call, serve func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = a.Panicked(ctx, c.Path, p)
		}
	}()
	return serve(ctx)
}

// serverFaults are the codes whose reason is the server's.
var serverFaults = map[codes.Code]bool{
	codes.Internal: true, codes.Unknown: true, codes.Unavailable: true, codes.DeadlineExceeded: true,
}

func result(err error) api.Result {
	code := status.Code(err)
	r := api.Result{Status: slog.StringValue(code.String()), Code: code.String()}
	if serverFaults[code] {
		r.Reason = status.Convert(err).Message()
	}
	return r
}
