package tensor

import "unsafe"

// flat is what can be done to flat data without knowing its element.
type flat interface {
	concat(parts []*Tensor, n int) any
	slice(data any, from, to int64) any
	memory(data any) []byte
	over(memory []byte, n int) any
}

type elements[T Element] struct{}

var flats = [...]flat{
	Bool:   elements[bool]{},
	Int8:   elements[int8]{},
	Int16:  elements[int16]{},
	Int32:  elements[int32]{},
	Int64:  elements[int64]{},
	Uint8:  elements[uint8]{},
	Uint16: elements[uint16]{},
	Uint32: elements[uint32]{},
	Uint64: elements[uint64]{},
	FP16:   elements[Float16]{},
	BF16:   elements[BFloat16]{},
	FP32:   elements[float32]{},
	FP64:   elements[float64]{},
	Bytes:  elements[string]{},
}

// Memory is a view of the data as it lies in memory; strings have none.
func (t *Tensor) Memory() []byte {
	if t.DType.Size() == 0 {
		return nil
	}
	return flats[t.DType].memory(t.Data)
}

// Over lays the []T of n elements that belongs to d over memory, which must have
// their size, or copies it where it is not aligned for them. Strings and Invalid
// cannot be laid: d must have a size.
func Over(d DType, memory []byte, n int) any { return flats[d].over(memory, n) }

func (elements[T]) concat(parts []*Tensor, n int) any {
	all := make([]T, 0, n)
	for _, p := range parts {
		all = append(all, p.Data.([]T)...)
	}
	return all
}

func (elements[T]) slice(data any, from, to int64) any { return data.([]T)[from:to:to] }

func (elements[T]) memory(data any) []byte { return bytesOf(data.([]T)) }

func (elements[T]) over(memory []byte, n int) any {
	if n == 0 {
		return []T{}
	}
	var element T
	at := unsafe.Pointer(unsafe.SliceData(memory))
	if uintptr(at)%unsafe.Alignof(element) == 0 {
		return unsafe.Slice((*T)(at), n)
	}
	aligned := make([]T, n)
	copy(bytesOf(aligned), memory)
	return aligned
}

func bytesOf[T any](data []T) []byte {
	var element T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(element)))
}
