package grpcapi

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"slipway/server/fault"
)

const (
	messageBytes = 256 // a message of the protocol has no more, without what it points to
	elementBytes = 80  // of a list of strings or bytes: the header, while the list grows twice, and what is allocated for it
	mostNested   = 32  // deeper than any message of the protocol
)

// footprint returns at least the bytes that a message becomes when it is decoded: a
// BYTES element without content takes 2 bytes on the wire and 24 in memory.
func footprint(body []byte, of protoreflect.MessageDescriptor) (int64, error) {
	return footprintOf(body, of, 0)
}

func footprintOf(body []byte, of protoreflect.MessageDescriptor, depth int) (int64, error) {
	if depth > mostNested {
		return 0, fault.New(fault.InvalidArgument, "the message is nested more than %d deep", mostNested)
	}
	sum := int64(messageBytes)
	for len(body) > 0 {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return 0, fault.New(fault.InvalidArgument, "the message is no protobuf: %w", protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(number, kind, body[n:])
		if size < 0 {
			return 0, fault.New(fault.InvalidArgument, "the message is no protobuf: %w", protowire.ParseError(size))
		}
		value, err := valueFootprint(body[n:n+size], kind, of.Fields().ByNumber(number), depth)
		if err != nil {
			return 0, err
		}
		sum += value
		body = body[n+size:]
	}
	return sum, nil
}

func valueFootprint(value []byte, kind protowire.Type, field protoreflect.FieldDescriptor, depth int) (int64, error) {
	if field == nil { // kept as it is, appended
		return 2 * int64(len(value)+protowire.SizeVarint(1<<31)), nil
	}
	if kind != protowire.BytesType {
		return elementBytes, nil
	}
	content, _ := protowire.ConsumeBytes(value)
	switch field.Kind() {
	case protoreflect.MessageKind:
		n, err := footprintOf(content, field.Message(), depth+1)
		return n + elementBytes, err
	case protoreflect.StringKind, protoreflect.BytesKind:
		return int64(len(content)) + elementBytes, nil
	case protoreflect.FloatKind, protoreflect.DoubleKind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed32Kind, protoreflect.Sfixed64Kind:
		return int64(len(content)) + elementBytes, nil
	case protoreflect.BoolKind:
		return elements(content) + elementBytes, nil
	default: // packed varints
		return 8*elements(content) + elementBytes, nil
	}
}

// elements counts packed varints, each of which has one byte without the high bit.
func elements(packed []byte) (n int64) {
	for _, b := range packed {
		n += int64(b>>7) ^ 1
	}
	return n
}
