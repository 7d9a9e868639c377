package grpcapi

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"slipway/server/fault"
	"slipway/server/oip"
)

// guarded is a service whose unary methods are guarded before their message is
// read: an interceptor comes after that, so it would read a stranger's message
// and not see one that is too large.
func (a *API) guarded(service *grpc.ServiceDesc) *grpc.ServiceDesc {
	d := *service
	d.Methods = slices.Clone(d.Methods)
	for i, m := range d.Methods {
		method := "/" + d.ServiceName + "/" + m.MethodName
		d.Methods[i].Handler = func(srv any, ctx context.Context, read func(any) error, next grpc.UnaryServerInterceptor) (reply any, err error) {
			err = a.guard(ctx, method, func(ctx context.Context) error {
				reply, err = m.Handler(srv, ctx, read, next)
				return err
			})
			if err != nil {
				return nil, err
			}
			return reply, nil
		}
	}
	return &d
}

// guardStream guards a method that streams.
func (a *API) guardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return a.guard(stream.Context(), info.FullMethod, func(ctx context.Context) error {
		return handler(srv, guardedStream{stream, ctx})
	})
}

// guardedStream has the context of its guard.
type guardedStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // that is how a stream carries it
}

func (s guardedStream) Context() context.Context { return s.ctx }

// guard answers one call: it checks the key, observes, and turns a panic into
// an error and an error into a status.
func (a *API) guard(ctx context.Context, method string, answer func(context.Context) error) error {
	c := &call{method: method, id: requestID(ctx)}
	return a.observe(ctx, c, func(ctx context.Context) error {
		if err := a.authenticate(ctx, c); err != nil {
			return err
		}
		return answer(ctx)
	})
}

// recovered is what answer returns, or an error in place of its panic.
func (a *API) recovered(ctx context.Context, c *call, answer func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.Log.ErrorContext(ctx, "handler panicked", "path", c.method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "internal error")
		}
	}()
	return answer(ctx)
}

// openMethods need no API key and leave no line in the log: the kubelet asks them.
var openMethods = map[string]bool{
	"/grpc.health.v1.Health/Check": true, "/grpc.health.v1.Health/List": true, "/grpc.health.v1.Health/Watch": true,
	oip.GRPCInferenceService_ServerLive_FullMethodName:  true,
	oip.GRPCInferenceService_ServerReady_FullMethodName: true,
}

func (a *API) authenticate(ctx context.Context, c *call) error {
	if a.Keys == nil || openMethods[c.method] {
		return nil
	}
	key, bearer := strings.CutPrefix(first(ctx, "authorization"), "Bearer ")
	if !bearer {
		key = first(ctx, "x-api-key")
	}
	name, ok := a.Keys.Match(key)
	if !ok {
		return fault.New(fault.Unauthenticated, "an API key is needed in the call's metadata: authorization: Bearer <key> or x-api-key: <key>")
	}
	c.key = name
	return nil
}

// first is the first value that the caller's metadata has for a key, or empty.
func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
