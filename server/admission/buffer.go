package admission

import (
	"errors"
	"io"
	"slices"
)

// ErrTooLong is that what a Buffer reads is longer than it may be.
var ErrTooLong = errors.New("longer than the limit")

// growth is how many times as long a buffer becomes when it is full.
const growth = 4

// Buffer is the bytes of a request, charged as they arrive: a length that is only
// declared takes no memory.
type Buffer struct{ Bytes []byte }

// ReadExactly reads n bytes. Fewer are io.ErrUnexpectedEOF.
func (b *Buffer) ReadExactly(from io.Reader, n int64, charge *Charge) error {
	for int64(len(b.Bytes)) < n {
		if err := b.grow(n, charge); err != nil {
			return err
		}
		more := b.Bytes[len(b.Bytes):min(int64(cap(b.Bytes)), n)]
		read, err := io.ReadFull(from, more)
		b.Bytes = b.Bytes[:len(b.Bytes)+read]
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

// ReadAll reads to the end. More than limit bytes are ErrTooLong.
func (b *Buffer) ReadAll(from io.Reader, limit int64, charge *Charge) error {
	for {
		if err := b.grow(limit+1, charge); err != nil {
			return err
		}
		n, err := from.Read(b.Bytes[len(b.Bytes):cap(b.Bytes)])
		b.Bytes = b.Bytes[:len(b.Bytes)+n]
		switch {
		case int64(len(b.Bytes)) > limit:
			return ErrTooLong
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// grow makes space for at least a byte in a buffer that will have most bytes.
func (b *Buffer) grow(most int64, charge *Charge) error {
	size := min(int64(cap(b.Bytes)), most) // a buffer that was used before may be longer than is needed
	if int64(len(b.Bytes)) == size {
		size = min(max(Small, growth*size), most)
	}
	if more := size - charge.Held(Receive); more > 0 {
		if err := charge.Add(Receive, more); err != nil {
			return err
		}
	}
	b.Bytes = slices.Grow(b.Bytes, int(size)-len(b.Bytes))
	return nil
}
