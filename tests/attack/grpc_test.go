package attack

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"slipway/server/oip"
)

const (
	inferMethod  = oip.GRPCInferenceService_ModelInfer_FullMethodName
	streamMethod = oip.GRPCInferenceService_ModelStreamInfer_FullMethodName
	healthMethod = "/grpc.health.v1.Health/Check"
)

var overGRPC = []attack{
	{"gzip messages that become 64 MB", false, func(ctx context.Context, s *server) {
		message := framed(true, gzipped(string(typed("identity", fill64(60*megabyte)))))
		sendGRPC(ctx, s.grpc, 16, inferMethod, true, message)
	}},
	{"gzip health checks that become 64 MB", true, func(ctx context.Context, s *server) {
		message := framed(true, gzipped(strings.Repeat("\x0a\x00", 30*megabyte)))
		s.bothPorts(func(address string) { sendGRPC(ctx, address, 24, healthMethod, true, message) })
	}},
	{"health checks that do not end", true, func(ctx context.Context, s *server) {
		message := framed(false, strings.Repeat("\x0a\x00", 30*megabyte))
		s.bothPorts(func(address string) { sendGRPC(ctx, address, 24, healthMethod, false, message[:40*megabyte]) })
	}},
	{"messages of strangers", true, func(ctx context.Context, s *server) {
		message := framed(false, strings.Repeat("\x0a\x00", 30*megabyte))
		methods := []string{inferMethod, streamMethod, "/inference.GRPCInferenceService/Nothing", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}
		s.bothPorts(func(address string) {
			together(len(methods), func(i int) { sendGRPC(ctx, address, 8, methods[i], false, message[:50*megabyte]) })
		})
	}},
	{"messages of empty BYTES", false, func(ctx context.Context, s *server) {
		message := framed(false, string(typed("words", protoField(8, []byte(strings.Repeat("\x42\x00", 30*megabyte)), true))))
		sendGRPC(ctx, s.grpc, 8, inferMethod, true, message)
	}},
	{"messages of empty inputs", false, func(ctx context.Context, s *server) {
		message := framed(false, strings.Repeat("\x2a\x00", 30*megabyte))
		sendGRPC(ctx, s.grpc, 8, inferMethod, true, message)
	}},
	{"raw contents of empty strings", false, func(ctx context.Context, s *server) {
		data := make([]byte, 60*megabyte)
		message := framed(false, raw("words", "BYTES", []int64{1, int64(len(data) / 4)}, data))
		sendGRPC(ctx, s.grpc, 8, inferMethod, true, message)
	}},
	{"a great many unknown outputs", false, func(ctx context.Context, s *server) {
		r := &oip.ModelInferRequest{ModelName: "identity", Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: "x", Datatype: "FP32", Shape: []int64{1, 1}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{1}},
		}}}
		for range 160_000 {
			r.Outputs = append(r.Outputs, &oip.ModelInferRequest_InferRequestedOutputTensor{Name: "z"})
		}
		message, _ := proto.Marshal(r)
		sendGRPC(ctx, s.grpc, 4, inferMethod, true, framed(false, string(message)))
	}},
	{"unfinished messages", false, func(ctx context.Context, s *server) {
		message := framed(false, raw("identity", "FP32", []int64{1, 15 * megabyte}, make([]byte, 60*megabyte)))
		sendGRPC(ctx, s.grpc, 24, inferMethod, false, message[:50*megabyte])
	}},
	{"messages in frames of one byte", false, func(ctx context.Context, s *server) {
		message := framed(false, raw("identity", "FP32", []int64{1, megabyte / 32}, make([]byte, megabyte/8)))
		tinyFrames(ctx, s.grpc, 8, inferMethod, message)
	}},
	{"24 bytes that ask for a gigabyte", false, func(ctx context.Context, s *server) {
		sendGRPC(ctx, s.grpc, 16, inferMethod, true, framed(false, fillRequest(16384, 16384)))
	}},
	{"responses of calls that nobody reads", false, func(ctx context.Context, s *server) {
		holdGRPC(ctx, s.grpc, 64, inferMethod, framed(false, fillRequest(2048, 8192)))
	}},
	{"requests of a stream whose responses nobody reads", false, func(ctx context.Context, s *server) {
		holdGRPC(ctx, s.grpc, 8, streamMethod, bytes.Repeat(framed(false, fillRequest(512, 8192)), 200))
	}},
	{"silent streams", true, func(ctx context.Context, s *server) {
		holdGRPC(ctx, s.grpc, 5000, "/grpc.health.v1.Health/Watch", nil)
	}},
	{"connections with a preface only", true, func(ctx context.Context, s *server) {
		holdHTTP(ctx, s.grpc, 1500, http2.ClientPreface)
	}},
	{"calls that are reset at once", true, func(ctx context.Context, s *server) {
		together(4, func(int) {
			c := connect(ctx, s.grpc, 1<<20)
			if c == nil {
				return
			}
			defer c.Close()
			for id := uint32(1); id < 40_000; id += 2 {
				if c.headers(id, inferMethod) != nil || c.framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
					return
				}
			}
		})
	}},
}

// bothPorts attacks the two ports that serve gRPC at once.
func (s *server) bothPorts(attack func(address string)) {
	addresses := []string{s.grpc, s.admin}
	together(len(addresses), func(i int) { attack(addresses[i]) })
}

func fill64(bytes int) []byte { return protoField(6, make([]byte, bytes), true) }

// protoField is contents with one field, packed or, for bytes, the elements themselves.
func protoField(number protowire.Number, content []byte, packed bool) []byte {
	if !packed || number == 8 {
		return content
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

// typed is a request with one input that has typed contents.
func typed(model string, contents []byte) []byte {
	input, _ := proto.Marshal(&oip.ModelInferRequest_InferInputTensor{Name: "x", Datatype: map[string]string{"identity": "FP32", "words": "BYTES"}[model], Shape: []int64{1, 1}})
	input = protowire.AppendBytes(protowire.AppendTag(input, 5, protowire.BytesType), contents)
	request, _ := proto.Marshal(&oip.ModelInferRequest{ModelName: model})
	return protowire.AppendBytes(protowire.AppendTag(request, 5, protowire.BytesType), input)
}

func raw(model, datatype string, shape []int64, data []byte) string {
	request, _ := proto.Marshal(&oip.ModelInferRequest{
		ModelName:        model,
		Inputs:           []*oip.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: datatype, Shape: shape}},
		RawInputContents: [][]byte{data},
	})
	return string(request)
}

func fillRequest(rows, columns int64) string {
	request, _ := proto.Marshal(&oip.ModelInferRequest{ModelName: "fill", Inputs: []*oip.ModelInferRequest_InferInputTensor{{
		Name: "shape", Datatype: "INT64", Shape: []int64{2}, Contents: &oip.InferTensorContents{Int64Contents: []int64{rows, columns}},
	}}})
	return string(request)
}

// framed is a message with gRPC's header.
func framed(compressed bool, message string) []byte {
	b := make([]byte, 5, 5+len(message))
	if compressed {
		b[0] = 1
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(message)))
	return append(b, message...)
}

// rawConn is an HTTP/2 connection that keeps to the windows of the server and to
// nothing else.
type rawConn struct {
	net.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	windows chan window
}

type window struct {
	stream    uint32
	increment uint32
}

// connect opens a connection on which the server may send that many bytes.
func connect(ctx context.Context, address string, receive uint32) *rawConn {
	conn, err := dial(ctx, address)
	if err != nil {
		return nil
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	c := &rawConn{Conn: conn, framer: http2.NewFramer(conn, conn), windows: make(chan window, 1<<16)}
	c.encoder = hpack.NewEncoder(&c.block)
	_, _ = io.WriteString(conn, http2.ClientPreface)
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: receive})
	go c.read()
	return c
}

func (c *rawConn) read() {
	defer close(c.windows)
	for {
		f, err := c.framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame: // the server wants no more
			return
		case *http2.WindowUpdateFrame:
			select {
			case c.windows <- window{f.StreamID, f.Increment}:
			default:
			}
		}
	}
}

func (c *rawConn) headers(stream uint32, method string) error {
	c.block.Reset()
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "x"},
		{"content-type", "application/grpc"}, {"te", "trailers"}, {"grpc-encoding", "gzip"},
	} {
		if err := c.encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return err
		}
	}
	return c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.block.Bytes(), EndHeaders: true})
}

// data sends as much as the server's windows allow, to the end of the attack.
func (c *rawConn) data(stream uint32, message []byte, end bool, frame int) {
	const initial = 65535
	mine, all := initial, initial
	for len(message) > 0 {
		n := min(frame, len(message), mine, all)
		if n > 0 {
			if c.framer.WriteData(stream, end && n == len(message), message[:n]) != nil {
				return
			}
			message, mine, all = message[n:], mine-n, all-n
			continue
		}
		w, ok := <-c.windows
		if !ok {
			return
		}
		if w.stream == 0 {
			all += int(w.increment)
		} else {
			mine += int(w.increment)
		}
	}
}

// sendGRPC sends a message on each of some connections, to its end or not.
func sendGRPC(ctx context.Context, address string, connections int, method string, end bool, message []byte) {
	together(connections, func(int) {
		c := connect(ctx, address, 1<<20)
		if c == nil {
			return
		}
		defer c.Close()
		if c.headers(1, method) != nil {
			return
		}
		c.data(1, message, end, 16<<10)
		hold(ctx)
	})
}

func tinyFrames(ctx context.Context, address string, connections int, method string, message []byte) {
	together(connections, func(int) {
		c := connect(ctx, address, 1<<20)
		if c == nil {
			return
		}
		defer c.Close()
		if c.headers(1, method) == nil {
			c.data(1, message, true, 1)
		}
	})
}

// holdGRPC begins calls on a few connections, sends each a message and reads no
// response.
func holdGRPC(ctx context.Context, address string, calls int, method string, message []byte) {
	const connections = 4
	together(connections, func(int) {
		c := connect(ctx, address, 0)
		if c == nil {
			return
		}
		defer c.Close()
		for i := range calls / connections {
			id := uint32(2*i + 1)
			if c.headers(id, method) != nil {
				return
			}
			if len(message) > 0 && c.framer.WriteData(id, true, message[:min(len(message), 16<<10)]) != nil {
				return
			}
		}
		hold(ctx)
	})
}
