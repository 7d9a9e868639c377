package grpcapi

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"slipway/server/api"
	"slipway/server/oip"
)

// openMethods need no API key and leave no line in the log: the kubelet has no key
// and calls them all the time.
var openMethods = map[string]bool{
	"/grpc.health.v1.Health/Check": true, "/grpc.health.v1.Health/List": true, "/grpc.health.v1.Health/Watch": true,
	oip.GRPCInferenceService_ServerLive_FullMethodName:  true,
	oip.GRPCInferenceService_ServerReady_FullMethodName: true,
}

// guarded returns a service whose unary methods are guarded before their message
// is received: an interceptor runs after that, so it would receive a stranger's
// message and not see one that is too large.
func (a *API) guarded(service *grpc.ServiceDesc) *grpc.ServiceDesc {
	d := *service
	d.Methods = slices.Clone(d.Methods)
	for i, m := range d.Methods {
		method := "/" + d.ServiceName + "/" + m.MethodName
		d.Methods[i].Handler = func(srv any, ctx context.Context, receive func(any) error, next grpc.UnaryServerInterceptor) (reply any, err error) {
			err = a.guard(ctx, method, func(ctx context.Context) error {
				reply, err = m.Handler(srv, ctx, receive, next)
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

// guard serves one call: it observes the call and refuses it early, before its
// message is received.
func (a *API) guard(ctx context.Context, method string, serve func(context.Context) error) error {
	c := newCall(method, api.RequestID(first(ctx, requestIDKey)))
	return a.observe(ctx, c, func(ctx context.Context) error {
		if err := a.authenticate(ctx, c); err != nil {
			return err
		}
		if c.Prediction {
			if err := a.AdmitUnread(remaining(ctx)); err != nil {
				return err
			}
		}
		return serve(ctx)
	})
}

func (a *API) authenticate(ctx context.Context, c *api.Call) (err error) {
	if !openMethods[c.Path] {
		c.Key, err = a.Authenticate(first(ctx, "authorization"), first(ctx, "x-api-key"))
	}
	return err
}

// remaining returns the time that is left until the call's deadline, at least a
// nanosecond; 0 if it has none.
func remaining(ctx context.Context) time.Duration {
	at, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(at), 1)
}

// first returns the first value that the caller's metadata has for a key, or empty.
func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
