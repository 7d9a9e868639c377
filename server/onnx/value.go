package onnx

// #include "value.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

const (
	stringBytes = 16  // of a Go string, without its text
	mapBytes    = 512 // of an element of a sequence: a map and its two tensors
)

// copySize returns the bytes that goValue will take for a value that C has described.
func copySize(value *C.Value) (int64, error) {
	switch ort.ONNXType(value.kind) {
	case ort.ONNXTypeSequence:
		var n C.size_t
		err := statusError(C.GetValueCount(value.handle, &n))
		return int64(n) * mapBytes, err
	case ort.ONNXTypeTensor:
		count, err := tensor.Count(shapeOf(value))
		if err != nil || value._type != C.TYPE_STRING {
			return count * int64(dtypeOf(ort.TensorElementDataType(value._type)).Size()), err
		}
		var length C.size_t
		err = statusError(C.GetStringTensorDataLength(value.handle, &length))
		return count*stringBytes + int64(length), err
	}
	return mapBytes, nil
}

// goValue copies a value that C has described. The caller still owns it.
func goValue(value *C.Value) (tensor.Value, error) {
	switch kind := ort.ONNXType(value.kind); kind {
	case ort.ONNXTypeTensor:
		return goTensor(value)
	case ort.ONNXTypeSequence:
		return goSequence(value.handle)
	case ort.ONNXTypeMap:
		return goMap(value.handle)
	default:
		return nil, fmt.Errorf("a value of kind %s is not served", kind)
	}
}

func goSequence(v *C.OrtValue) (tensor.Value, error) {
	var n C.size_t
	if err := statusError(C.GetValueCount(v, &n)); err != nil {
		return nil, err
	}
	sequence := make(tensor.Sequence, n)
	for i := range sequence {
		element, err := goElement(v, i)
		if err != nil {
			return nil, fmt.Errorf("element %d of the sequence: %w", i, err)
		}
		sequence[i] = element
	}
	return sequence, nil
}

func goMap(v *C.OrtValue) (tensor.Value, error) {
	keys, err := goElement(v, 0)
	if err != nil {
		return nil, fmt.Errorf("keys of the map: %w", err)
	}
	values, err := goElement(v, 1)
	if err != nil {
		return nil, fmt.Errorf("values of the map: %w", err)
	}
	k, kok := keys.(*tensor.Tensor)
	e, eok := values.(*tensor.Tensor)
	if !kok || !eok {
		return nil, errors.New("a map of other than tensors is not served")
	}
	return tensor.Map{Keys: k, Values: e}, nil
}

func goElement(container *C.OrtValue, i int) (tensor.Value, error) {
	var value C.Value
	defer C.FreeValue(&value)
	if err := statusError(C.DescribeElement(container, C.int(i), &value)); err != nil {
		return nil, err
	}
	return goValue(&value)
}

// smallTensor holds a tensor and its shape in one allocation.
type smallTensor struct {
	tensor.Tensor
	dims [4]int64
}

func goTensor(value *C.Value) (tensor.Value, error) {
	elementType := ort.TensorElementDataType(value._type)
	dtype := dtypeOf(elementType)
	if dtype == tensor.Invalid {
		return nil, fmt.Errorf("element type %s is not served", elementType)
	}
	t := &smallTensor{}
	t.DType, t.Shape = dtype, append(t.dims[:0], shapeOf(value)...)
	count, err := tensor.Count(t.Shape)
	if err != nil {
		return nil, err
	}
	t.Data = tensor.Make(dtype, int(count))
	if text, ok := t.Data.([]string); ok {
		return &t.Tensor, readStrings(value.handle, text)
	}
	if to := t.Memory(); len(to) > 0 {
		copy(to, unsafe.Slice((*byte)(value.data), len(to)))
	}
	return &t.Tensor, nil
}

// shapeOf returns the value's shape, which stays in C's memory.
func shapeOf(value *C.Value) []int64 { return unsafe.Slice((*int64)(value.shape), value.rank) }
