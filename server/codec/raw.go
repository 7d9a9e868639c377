package codec

import (
	"encoding/binary"
	"math"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// FromRaw reads the protocol's binary form: elements of fixed size in little
// endian, BOOL as bytes of 0 or 1, BYTES each with its length in four bytes
// before it. Where raw is aligned for the type the tensor is a view of it, and raw
// must stay as it is; BYTES may hold any bytes.
func FromRaw(dtype tensor.DType, shape []int64, raw []byte, m Memory) (*tensor.Tensor, error) {
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, err)
	}
	t := &tensor.Tensor{DType: dtype, Shape: shape}
	if dtype == tensor.Bytes {
		t.Data, err = rawStrings(raw, count, m)
		return t, err
	}
	size := int64(dtype.Size())
	if size == 0 {
		return nil, fault.New(fault.InvalidArgument, "got no datatype that has a binary form")
	}
	if int64(len(raw))%size != 0 || int64(len(raw))/size != count {
		return nil, fault.New(fault.InvalidArgument, "got %d bytes, %s of shape %s has %d elements of %d", len(raw), dtype, tensor.ShapeString(shape), count, size)
	}
	if dtype == tensor.Bool {
		for i, b := range raw {
			if b > 1 {
				return nil, fault.New(fault.InvalidArgument, "element %d is the byte %d, a BOOL is 0 or 1", i, b)
			}
		}
	}
	// The processors that this is built for are little-endian, as the protocol is.
	t.Data = tensor.Over(dtype, raw, int(count))
	return t, nil
}

func rawStrings(raw []byte, count int64, m Memory) ([]string, error) {
	// An element takes four bytes at least, so the body bounds what a shape can claim.
	if count > int64(len(raw))/4 {
		return nil, fault.New(fault.InvalidArgument, "got %d bytes, %d BYTES elements take 4 each at least", len(raw), count)
	}
	// The bytes of short strings are rounded up to what Go allocates.
	if err := m.charge(count*stringBytes + 2*int64(len(raw))); err != nil {
		return nil, err
	}
	all := make([]string, count)
	for i := range all {
		if len(raw) < 4 {
			return nil, fault.New(fault.InvalidArgument, "element %d: the data ends before its length", i)
		}
		size := int64(binary.LittleEndian.Uint32(raw))
		raw = raw[4:]
		if size > int64(len(raw)) {
			return nil, fault.New(fault.InvalidArgument, "element %d: has a length of %d, %d bytes are left", i, size, len(raw))
		}
		all[i], raw = string(raw[:size]), raw[size:]
	}
	if len(raw) > 0 {
		return nil, fault.New(fault.InvalidArgument, "%d bytes are left over after %d elements", len(raw), count)
	}
	return all, nil
}

// AppendRaw appends a tensor in the protocol's binary form.
func AppendRaw(dst []byte, t *tensor.Tensor) []byte {
	text, ok := t.Data.([]string)
	if !ok {
		return append(dst, t.Memory()...)
	}
	for _, s := range text {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(min(len(s), math.MaxUint32)))
		dst = append(dst, s...)
	}
	return dst
}

// RawSize returns how many bytes AppendRaw appends.
func RawSize(t *tensor.Tensor) int {
	text, ok := t.Data.([]string)
	if !ok {
		return len(t.Memory())
	}
	size := 0
	for _, s := range text {
		size += 4 + len(s)
	}
	return size
}
