package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/tensor"
)

func (t Target) prepareGRPC(r *codec.Request, expected []tensor.Named) (Dial, error) {
	if _, _, err := t.address(); err != nil {
		return nil, err
	}
	message, err := encodeMessage(r, t.Model, t.Version)
	if err != nil {
		return nil, err
	}
	return func() (Caller, error) {
		conn, err := t.dialGRPC()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(t.withKey(context.Background()))
		return &grpcCaller{
			ctx: ctx, cancel: cancel, conn: conn, timeout: t.Timeout, message: message,
			checker: checker{expected: expected, decode: decodeMessage},
		}, nil
	}, nil
}

func (t Target) dialGRPC() (*grpc.ClientConn, error) {
	address, secure, err := t.address()
	if err != nil {
		return nil, err
	}
	transport := insecure.NewCredentials()
	if secure {
		transport = credentials.NewTLS(&tls.Config{})
	}
	const window = 16 << 20
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(transport),
		// Windows that fit large responses, so that none waits for an update.
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)),
		grpc.WithDisableRetry(), grpc.WithDisableServiceConfig(),
	)
}

func (t Target) withKey(ctx context.Context) context.Context {
	if t.Key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+t.Key)
}

func (t Target) inputsGRPC(ctx context.Context) (specs []tensor.Spec, err error) {
	conn, err := t.dialGRPC()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	metadata, err := oip.NewGRPCInferenceServiceClient(conn).ModelMetadata(t.withKey(ctx),
		&oip.ModelMetadataRequest{Name: t.Model, Version: t.Version})
	if err != nil {
		return nil, err
	}
	return decodeMetadata(metadata)
}

// grpcCaller calls over one HTTP/2 connection, with a message that was encoded before.
type grpcCaller struct {
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc
	conn     *grpc.ClientConn
	timeout  time.Duration
	message  []byte
	response []byte
	checker
}

// Close ends the connection, and a Call in flight.
func (c *grpcCaller) Close() error {
	c.cancel()
	return c.conn.Close()
}

func (c *grpcCaller) Call() Outcome {
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	defer cancel()
	err := c.conn.Invoke(ctx, oip.GRPCInferenceService_ModelInfer_FullMethodName, c.message, &c.response,
		grpc.ForceCodecV2(bytesCodec{}))
	if err != nil {
		return Outcome{Status: grpcStatus(status.Code(err)), Detail: status.Convert(err).Message()}
	}
	if err := c.check(c.response); err != nil {
		return Outcome{Status: StatusWrong, Detail: err.Error()}
	}
	return Outcome{Status: StatusOK}
}

// bytesCodec passes messages on as they are on the wire.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	into := v.(*[]byte)
	if n := data.Len(); cap(*into) < n {
		*into = make([]byte, n)
	} else {
		*into = (*into)[:n]
	}
	data.CopyTo(*into)
	return nil
}

// grpcStatus returns the name that the documents of gRPC have for a code.
func grpcStatus(c codes.Code) string {
	if name, ok := grpcNames[c]; ok {
		return name
	}
	return c.String()
}

var grpcNames = map[codes.Code]string{
	codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.PermissionDenied: "PERMISSION_DENIED",
	codes.ResourceExhausted: "RESOURCE_EXHAUSTED", codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL",
	codes.Unavailable: "UNAVAILABLE", codes.Unauthenticated: "UNAUTHENTICATED",
}
