package grpcapi

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"slipway/server/admission"
	"slipway/server/fault"
)

// The codec replaces grpc's own, for clients in this process too.
func init() { encoding.RegisterCodecV2(messageCodec{encoding.GetCodecV2(protocodec.Name)}) }

// incoming is a message that is charged while it is decoded. What goes wrong is
// left in err: grpc would make it an internal error.
type incoming struct {
	message proto.Message
	flow    *flow
	charge  *admission.Charge // holds what the message becomes
	limit   int64             // of its bytes when they are not compressed
	err     error
}

// outgoing is a message that its flow holds until it is written.
type outgoing struct {
	message proto.Message
	flow    *flow
	size    int
}

// messageCodec decodes incoming and encodes outgoing messages, and any others as
// grpc's codec does.
type messageCodec struct{ encoding.CodecV2 }

func (c messageCodec) Unmarshal(data mem.BufferSlice, v any) error {
	in, charged := v.(*incoming)
	if !charged {
		return c.unmarshalPlain(data, v)
	}
	in.err = in.decode(data)
	in.flow.decoded(wireLength(data))
	return nil
}

// unmarshalPlain decodes the messages of clients in this process, which are not charged.
func (c messageCodec) unmarshalPlain(data mem.BufferSlice, v any) error {
	if markOf(data) == 0 {
		return c.CodecV2.Unmarshal(data, v)
	}
	in := incoming{limit: 1 << 31}
	body, err := in.inflate(data)
	if err != nil {
		return err
	}
	return c.CodecV2.Unmarshal(mem.BufferSlice{mem.SliceBuffer(body)}, v)
}

func (in *incoming) decode(data mem.BufferSlice) error {
	if markOf(data) != 0 {
		body, err := in.inflate(data)
		if err != nil {
			return err
		}
		return in.unmarshal(body)
	}
	if err := in.charge.Add(admission.Receive, int64(data.Len())); err != nil { // in one piece
		return err
	}
	body := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer body.Free()
	return in.unmarshal(body.ReadOnlyData())
}

// unmarshal decodes a message of which there is memory for what it becomes.
func (in *incoming) unmarshal(body []byte) error {
	size, err := footprint(body, in.message.ProtoReflect().Descriptor())
	if err == nil {
		err = in.charge.Add(admission.Decode, size)
	}
	if err == nil {
		err = proto.Unmarshal(body, in.message)
	}
	_ = in.charge.Set(admission.Receive, 0) // less than it was
	return fault.Wrap(fault.InvalidArgument, err)
}

func (in *incoming) inflate(data mem.BufferSlice) ([]byte, error) {
	r := data.Reader()
	defer r.Close()
	mark, err := r.ReadByte()
	if err != nil {
		return nil, fmt.Errorf("decompress the message: %w", err)
	}
	inflated, err := inflater(mark, r)
	if err != nil {
		return nil, fault.New(fault.InvalidArgument, "decompress the message: %w", err)
	}
	var body admission.Buffer
	err = body.ReadAll(inflated, in.limit, in.charge)
	if err == admission.ErrTooLong { //nolint:errorlint // ReadAll does not wrap it
		err = fault.New(fault.TooLarge, "it is longer than %d bytes", in.limit)
	}
	if err == nil && r.Remaining() > 0 {
		err = fmt.Errorf("%d bytes follow the end of the compressed data", r.Remaining())
	}
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, fmt.Errorf("decompress the message: %w", err))
	}
	return body.Bytes, nil
}

// markOf returns the mark of a compressed message, or 0.
func markOf(data mem.BufferSlice) byte {
	for _, b := range data {
		if p := b.ReadOnlyData(); len(p) > 0 {
			if p[0] == markGzip || p[0] == markDeflate {
				return p[0]
			}
			return 0
		}
	}
	return 0
}

// wireLength is how many bytes of DATA a message was.
func wireLength(data mem.BufferSlice) int64 {
	n := int64(data.Len()) + messageHeader
	if markOf(data) != 0 {
		n--
	}
	return n
}

func (c messageCodec) Marshal(v any) (mem.BufferSlice, error) {
	out, charged := v.(*outgoing)
	if !charged {
		return c.CodecV2.Marshal(v)
	}
	out.flow.send(int64(out.size))
	pool := mem.DefaultBufferPool()
	body := pool.Get(out.size)
	var err error
	if *body, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend((*body)[:0], out.message); err != nil {
		pool.Put(body)
		out.flow.sent(int64(out.size))
		return nil, err
	}
	return out.held(body, pool), nil
}

// held returns the encoded message, whose flow holds it until grpc has written it.
func (out *outgoing) held(body *[]byte, pool mem.BufferPool) mem.BufferSlice {
	if mem.IsBelowBufferPoolingThreshold(cap(*body)) { // grpc does not say when it is written
		out.flow.sent(int64(out.size))
		return mem.BufferSlice{mem.SliceBuffer(*body)}
	}
	return mem.BufferSlice{mem.NewBuffer(body, holder{pool, out.flow, int64(out.size)})}
}

// holder gives a response back to its flow, and its buffer to the pool.
type holder struct {
	mem.BufferPool
	flow *flow
	size int64
}

// Put is called when the response is written, or its call or connection has ended.
func (h holder) Put(body *[]byte) {
	h.BufferPool.Put(body)
	h.flow.sent(h.size)
}
