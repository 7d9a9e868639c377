package codec

import (
	"encoding/binary"
	"math"
	"unsafe"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// FromRaw reads the protocol's binary form: elements of fixed size in little
// endian, BOOL as bytes of 0 or 1, BYTES each with its length in four bytes
// before it. Where the bytes lie right for the type the tensor is a view of raw,
// which must then stay as it is; BYTES may hold any bytes.
func FromRaw(dtype tensor.DType, shape []int64, raw []byte) (*tensor.Tensor, error) {
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, err)
	}
	t := &tensor.Tensor{DType: dtype, Shape: shape}
	if dtype == tensor.Bytes {
		t.Data, err = rawStrings(raw, count)
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
	t.Data = view(dtype, raw, int(count))
	return t, nil
}

// view lays the bytes under a slice of the tensor's type, or copies them where
// they are not aligned.
func view(dtype tensor.DType, raw []byte, count int) any {
	switch dtype {
	case tensor.Bool:
		return lay[bool](raw, count)
	case tensor.Int8:
		return lay[int8](raw, count)
	case tensor.Int16:
		return lay[int16](raw, count)
	case tensor.Int32:
		return lay[int32](raw, count)
	case tensor.Int64:
		return lay[int64](raw, count)
	case tensor.Uint8:
		return lay[uint8](raw, count)
	case tensor.Uint16:
		return lay[uint16](raw, count)
	case tensor.Uint32:
		return lay[uint32](raw, count)
	case tensor.Uint64:
		return lay[uint64](raw, count)
	case tensor.FP16:
		return lay[tensor.Float16](raw, count)
	case tensor.BF16:
		return lay[tensor.BFloat16](raw, count)
	case tensor.FP32:
		return lay[float32](raw, count)
	case tensor.FP64:
		return lay[float64](raw, count)
	}
	return nil
}

// The processors that this is built for are little-endian, as the wire is.
func lay[T any](raw []byte, count int) []T {
	if count == 0 {
		return []T{}
	}
	var element T
	if uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%unsafe.Alignof(element) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(raw))), count)
	}
	aligned := make([]T, count)
	copy(bytesOf(aligned), raw)
	return aligned
}

func bytesOf[T any](data []T) []byte {
	var element T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(element)))
}

func rawStrings(raw []byte, count int64) ([]string, error) {
	// An element takes four bytes at least, so the body bounds what a shape can claim.
	if count > int64(len(raw))/4 {
		return nil, fault.New(fault.InvalidArgument, "got %d bytes, %d BYTES elements take 4 each at least", len(raw), count)
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
	switch data := t.Data.(type) {
	case []bool:
		return append(dst, bytesOf(data)...)
	case []int8:
		return append(dst, bytesOf(data)...)
	case []int16:
		return append(dst, bytesOf(data)...)
	case []int32:
		return append(dst, bytesOf(data)...)
	case []int64:
		return append(dst, bytesOf(data)...)
	case []uint8:
		return append(dst, data...)
	case []uint16:
		return append(dst, bytesOf(data)...)
	case []uint32:
		return append(dst, bytesOf(data)...)
	case []uint64:
		return append(dst, bytesOf(data)...)
	case []tensor.Float16:
		return append(dst, bytesOf(data)...)
	case []tensor.BFloat16:
		return append(dst, bytesOf(data)...)
	case []float32:
		return append(dst, bytesOf(data)...)
	case []float64:
		return append(dst, bytesOf(data)...)
	case []string:
		for _, s := range data {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(min(len(s), math.MaxUint32)))
			dst = append(dst, s...)
		}
	}
	return dst
}

// RawSize is how many bytes AppendRaw appends.
func RawSize(t *tensor.Tensor) int {
	text, ok := t.Data.([]string)
	if !ok {
		count, _ := tensor.Count(t.Shape)
		return int(count) * t.DType.Size()
	}
	size := 0
	for _, s := range text {
		size += 4 + len(s)
	}
	return size
}

// Documents are the elements of a sequence, or a map alone, as JSON documents in
// BYTES, since the protocol has no type for them.
func Documents(v tensor.Value) *tensor.Tensor {
	list, ok := v.(tensor.Sequence)
	if !ok {
		list = tensor.Sequence{v}
	}
	all := make([]string, len(list))
	var document []byte
	for i, e := range list {
		document = appendValue(document[:0], e)
		all[i] = string(document)
	}
	return &tensor.Tensor{DType: tensor.Bytes, Shape: []int64{int64(len(all))}, Data: all}
}
