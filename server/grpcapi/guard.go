package grpcapi

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/oip"
)

// openMethods need no API key and leave no line in the log: the kubelet has no key
// and calls them all the time.
var openMethods = map[string]bool{
	healthpb.Health_Check_FullMethodName: true, healthpb.Health_Watch_FullMethodName: true,
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
				r, err := m.Handler(srv, ctx, a.receiver(ctx, receive), next)
				if err != nil {
					return err
				}
				reply, err = a.outgoing(flowOf(ctx), r.(proto.Message))
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
		return handler(srv, guardedStream{stream, a, ctx})
	})
}

// receiver returns a function that receives the message of a unary call, which the
// call's charge holds until it ends.
func (a *API) receiver(ctx context.Context, receive func(any) error) func(any) error {
	return func(v any) error { return a.receiveAll(ctx, receive, v, callOf(ctx).Charge) }
}

func (a *API) receiveAll(ctx context.Context, receive func(any) error, v any, charge *admission.Charge) error {
	in := a.incoming(ctx, v.(proto.Message), charge)
	if err := a.receive(receive, in); err != nil {
		return err
	}
	return in.err
}

// incoming returns what receives a message of a call.
func (a *API) incoming(ctx context.Context, m proto.Message, charge *admission.Charge) *incoming {
	return &incoming{message: m, flow: flowOf(ctx), charge: charge, limit: a.messageLimit(callOf(ctx).Path)}
}

// receive receives a message. What is wrong with the message itself is in its err.
func (a *API) receive(receive func(any) error, in *incoming) error {
	f := in.flow
	if f == nil {
		return receive(in)
	}
	defer f.received()
	large, err := f.wait()
	if err != nil {
		return err
	}
	if large {
		return a.receiveLarge(receive, in)
	}
	err = receive(in)
	if reason := f.why(); err != nil && reason != nil {
		return reason
	}
	return err
}

// receiveLarge receives a message that is still arriving. grpc makes its own status
// when receiving is interrupted, so when the call must end the handler returns before
// that, and grpc ends what still receives.
func (a *API) receiveLarge(receive func(any) error, in *incoming) error {
	received := make(chan error, 1)
	a.receiving.Go(func() { received <- receive(in) })
	for {
		select {
		case err := <-received:
			if reason := in.flow.why(); reason != nil {
				return reason
			}
			return err
		case <-in.flow.wake:
			if reason := in.flow.why(); reason != nil {
				return reason
			}
		}
	}
}

// outgoing returns a response that its flow holds until it is written.
func (a *API) outgoing(f *flow, m proto.Message) (*outgoing, error) {
	size := proto.Size(m)
	err := a.CheckResponse(size)
	if err == nil {
		err = f.queue(int64(size))
	}
	return &outgoing{m, f, size}, err
}

// guardedStream has the context of its guard, and charges its messages.
type guardedStream struct {
	grpc.ServerStream
	api *API
	ctx context.Context //nolint:containedctx // that is how a stream carries it
}

func (s guardedStream) Context() context.Context { return s.ctx }

// RecvMsg receives a message. An incoming one is charged to its own charge.
func (s guardedStream) RecvMsg(v any) error {
	if in, own := v.(*incoming); own {
		return s.api.receive(s.ServerStream.RecvMsg, in)
	}
	charge := s.api.Memory.Charge()
	defer charge.Release()
	return s.api.receiveAll(s.ctx, s.ServerStream.RecvMsg, v, charge)
}

// SendMsg sends a message.
func (s guardedStream) SendMsg(v any) error {
	out, charged := v.(*outgoing)
	if !charged {
		var err error
		if out, err = s.api.outgoing(flowOf(s.ctx), v.(proto.Message)); err != nil {
			return err
		}
	}
	return s.ServerStream.SendMsg(out)
}

// guard serves one call: it observes the call and refuses it early, before its
// message is received.
func (a *API) guard(ctx context.Context, method string, serve func(context.Context) error) error {
	defer flowOf(ctx).finish()
	c := newCall(method, api.RequestID(first(ctx, requestIDKey)))
	if p, ok := peer.FromContext(ctx); ok && !c.Silent {
		c.Client = a.ClientAddress(p.Addr.String(), metadata.ValueFromIncomingContext(ctx, "x-forwarded-for"))
	}
	return a.observe(ctx, c, func(ctx context.Context) error {
		if err := a.authenticate(ctx, c); err != nil {
			return err
		}
		_ = grpc.SetSendCompressor(ctx, encoding.Identity) // what is compressed would not be charged
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
		c.Key, err = a.Authenticate(ctx, c.Client, first(ctx, "authorization"), first(ctx, "x-api-key"))
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
