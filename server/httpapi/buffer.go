package httpapi

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"slipway/server/admission"
)

// buffer is bytes that outlive the request that used them. What it holds is charged
// to the request.
type buffer struct{ bytes []byte }

// buffers are kept for the next requests: without them a JSON request of 290 KB takes
// 11 % more processor time (scripts/bench -run TestLargeJSON, with and without).
var buffers = sync.Pool{New: func() any { return new(buffer) }}

const (
	// keepBytes bounds what an idle buffer holds: a rare large body is not kept.
	keepBytes = 4 << 20
	// firstBytes is what a buffer of a body has at first, if the body may be as long:
	// a length that is only declared takes no memory.
	firstBytes = admission.Small
	// growth is how many times as long a buffer becomes when it is full.
	growth = 4
)

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) giveBack() {
	if b == nil || cap(b.bytes) > keepBytes {
		return
	}
	b.bytes = b.bytes[:0]
	buffers.Put(b)
}

// readExactly reads n bytes.
func (b *buffer) readExactly(from io.Reader, n int64, charge *admission.Charge) error {
	for int64(len(b.bytes)) < n {
		if err := b.grow(n, charge); err != nil {
			return err
		}
		more := b.bytes[len(b.bytes):min(int64(cap(b.bytes)), n)]
		read, err := io.ReadFull(from, more)
		b.bytes = b.bytes[:len(b.bytes)+read]
		if err != nil {
			return errors.Join(io.ErrUnexpectedEOF, ignoreEOF(err))
		}
	}
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// readAll reads to the end, limit bytes at most.
func (b *buffer) readAll(from io.Reader, limit int64, charge *admission.Charge) error {
	for {
		if err := b.grow(limit+1, charge); err != nil {
			return err
		}
		n, err := from.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return &http.MaxBytesError{Limit: limit}
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// grow makes space for at least a byte in a buffer that will have most bytes.
func (b *buffer) grow(most int64, charge *admission.Charge) error {
	size := int64(cap(b.bytes))
	if int64(len(b.bytes)) == size {
		size = min(max(firstBytes, growth*size), most)
	}
	if err := charge.Set(admission.Receive, size); err != nil {
		return err
	}
	b.bytes = slices.Grow(b.bytes, int(size)-len(b.bytes))
	return nil
}
