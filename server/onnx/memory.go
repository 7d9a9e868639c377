package onnx

import (
	"unsafe"

	"slipway/server/tensor"
)

// memoryOf is the address and the size in bytes of a tensor's data; strings have none.
func memoryOf(data any) (unsafe.Pointer, int) {
	switch d := data.(type) {
	case []bool:
		return memory(d)
	case []int8:
		return memory(d)
	case []int16:
		return memory(d)
	case []int32:
		return memory(d)
	case []int64:
		return memory(d)
	case []uint8:
		return memory(d)
	case []uint16:
		return memory(d)
	case []uint32:
		return memory(d)
	case []uint64:
		return memory(d)
	case []tensor.Float16:
		return memory(d)
	case []tensor.BFloat16:
		return memory(d)
	case []float32:
		return memory(d)
	case []float64:
		return memory(d)
	}
	return nil, 0
}

func memory[T any](data []T) (unsafe.Pointer, int) {
	var element T
	return unsafe.Pointer(unsafe.SliceData(data)), len(data) * int(unsafe.Sizeof(element))
}
