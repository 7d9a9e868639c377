package onnx

// #include "frame.h"
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// stringValue copies strings into C.
func stringValue(shape []int64, text []string) (*C.OrtValue, error) {
	for i, s := range text {
		if strings.IndexByte(s, 0) >= 0 {
			return nil, fault.New(fault.InvalidArgument, "element %d has a NUL byte, which ONNX Runtime's strings cannot hold", i)
		}
	}
	var value *C.OrtValue
	err := statusError(C.CreateTensorAsOrtValue((*C.int64_t)(unsafe.SliceData(shape)), C.int64_t(len(shape)),
		C.int(ort.TensorElementDataTypeString), &value))
	if err != nil || len(text) == 0 {
		return value, err
	}
	c := newCStrings(text)
	defer c.free()
	if err := statusError(C.FillStringTensor(value, unsafe.SliceData(c), C.size_t(len(c)))); err != nil {
		C.ReleaseOrtValue(value)
		return nil, err
	}
	return value, nil
}

// goValue copies a value that C has described out of its slot, which stays the caller's.
func goValue(slot *C.Slot) (tensor.Value, error) {
	switch kind := ort.ONNXType(slot.kind); kind {
	case ort.ONNXTypeTensor:
		return goTensor(slot)
	case ort.ONNXTypeSequence:
		return goSequence(slot.value)
	case ort.ONNXTypeMap:
		return goMap(slot.value)
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
	var slot C.Slot
	defer C.EmptySlot(&slot)
	if err := statusError(C.DescribeElement(container, C.int(i), &slot)); err != nil {
		return nil, err
	}
	return goValue(&slot)
}

// smallTensor holds a tensor and its shape in one piece of memory.
type smallTensor struct {
	tensor.Tensor
	dims [4]int64
}

func goTensor(slot *C.Slot) (tensor.Value, error) {
	elementType := ort.TensorElementDataType(slot._type)
	dtype := dtypeOf(elementType)
	if dtype == tensor.Invalid {
		return nil, fmt.Errorf("element type %s is not served", elementType)
	}
	t := &smallTensor{}
	t.DType, t.Shape = dtype, append(t.dims[:0], shapeOf(slot)...)
	count, err := tensor.Count(t.Shape)
	if err != nil {
		return nil, err
	}
	t.Data = tensor.Make(dtype, int(count))
	if text, ok := t.Data.([]string); ok {
		return &t.Tensor, readStrings(slot.value, text)
	}
	if to := t.Memory(); len(to) > 0 {
		copy(to, unsafe.Slice((*byte)(slot.data), len(to)))
	}
	return &t.Tensor, nil
}

// shapeOf is the shape in the slot, in C's memory.
func shapeOf(slot *C.Slot) []int64 { return unsafe.Slice((*int64)(slot.shape), slot.rank) }

func readStrings(v *C.OrtValue, into []string) error {
	var size C.size_t
	if err := statusError(C.GetStringTensorDataLength(v, &size)); err != nil || size == 0 {
		return err
	}
	buffer, offsets := make([]byte, size), make([]C.size_t, len(into)+1)
	offsets[len(into)] = size
	err := statusError(C.GetStringTensorContent(v, unsafe.Pointer(unsafe.SliceData(buffer)), size,
		unsafe.SliceData(offsets), C.size_t(len(into))))
	if err != nil {
		return err
	}
	for i := range into {
		into[i] = string(buffer[offsets[i]:offsets[i+1]])
	}
	return nil
}
