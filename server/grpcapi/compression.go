package grpcapi

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"

	"google.golang.org/grpc/encoding"
)

// Triton's clients offer deflate beside gzip, which is all that grpc-go has.
func init() {
	encoding.RegisterCompressor(compression{"gzip", markGzip})
	encoding.RegisterCompressor(compression{"deflate", markDeflate})
}

// The marks of compressed messages. No message begins with one: they would be tags
// of a field 0, which protobuf does not have.
const (
	markGzip    = 1
	markDeflate = 2
)

// compression leaves a message compressed, with a mark before it: the codec inflates
// it, because only the codec knows the call whose memory that takes.
type compression struct {
	name string
	mark byte
}

func (c compression) Name() string { return c.name }

func (c compression) Compress(w io.Writer) (io.WriteCloser, error) {
	if c.mark == markGzip {
		return gzip.NewWriter(w), nil
	}
	return zlib.NewWriter(w), nil // which is what gRPC calls deflate
}

func (c compression) Decompress(r io.Reader) (io.Reader, error) {
	return io.MultiReader(bytes.NewReader([]byte{c.mark}), r), nil
}

// inflater returns a reader of a message whose mark has been read.
func inflater(mark byte, r io.Reader) (io.Reader, error) {
	if mark == markGzip {
		return gzip.NewReader(r)
	}
	return zlib.NewReader(r)
}
