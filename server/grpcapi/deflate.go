package grpcapi

import (
	"compress/zlib"
	"io"

	"google.golang.org/grpc/encoding"
)

// Triton's clients offer deflate beside gzip, which is all that grpc-go has.
func init() { encoding.RegisterCompressor(deflate{}) }

// deflate is zlib's format, which is what gRPC calls deflate.
type deflate struct{}

func (deflate) Name() string { return "deflate" }

func (deflate) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }

func (deflate) Decompress(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
