package grpcapi

import "google.golang.org/protobuf/reflect/protoreflect"

// Scan returns the streams and lengths of the DATA frames that begin in the parts
// of what one end of a connection sends.
func Scan(parts ...[]byte) (streams []uint32, lengths []int) {
	f := frames{skip: prefaceLength}
	for _, p := range parts {
		f.scan(p, func(stream uint32, length int, _ bool) {
			streams, lengths = append(streams, stream), append(lengths, length)
		})
	}
	return streams, lengths
}

// Footprint is footprint.
func Footprint(body []byte, of protoreflect.MessageDescriptor) (int64, error) {
	return footprint(body, of)
}

// The bounds of messages.
const (
	MessageBytes = messageBytes
	MessageTime  = messageTime
	StreamIdle   = streamIdle
	WriteStall   = writeStall
	OpenMessage  = openMessage
	SmallMessage = smallMessage
)
