package onnx

// #include "binding.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// newValue lends the tensor's memory to C until the pinner lets go of it;
// strings are copied.
func newValue(t *tensor.Tensor, pinner *runtime.Pinner) (*C.OrtValue, error) {
	var value *C.OrtValue
	shape, rank := (*C.int64_t)(unsafe.SliceData(t.Shape)), C.int64_t(len(t.Shape))
	elementType := C.int(elementTypes[t.DType])
	if text, ok := t.Data.([]string); ok {
		if err := statusError(C.CreateTensorAsOrtValue(shape, rank, elementType, &value)); err != nil {
			return nil, err
		}
		if err := fillStrings(value, text); err != nil {
			C.ReleaseOrtValue(value)
			return nil, err
		}
		return value, nil
	}
	memory, err := ort.GetMemoryInfo()
	if err != nil {
		return nil, err
	}
	data, size := memoryOf(t.Data)
	if size > 0 {
		pinner.Pin(data)
	} else {
		data = unsafe.Pointer(&empty) // an empty tensor still needs an address
		pinner.Pin(data)
	}
	err = statusError(C.CreateOrtTensorWithShape(data, C.size_t(size), shape, rank, unsafe.Pointer(memory), elementType, &value))
	return value, err
}

var empty [8]byte

func fillStrings(value *C.OrtValue, text []string) error {
	if len(text) == 0 {
		return nil
	}
	for i, s := range text {
		if strings.IndexByte(s, 0) >= 0 {
			return fault.New(fault.InvalidArgument, "element %d has a NUL byte, which ONNX Runtime's strings cannot hold", i)
		}
	}
	c := newCStrings(text)
	defer c.free()
	return statusError(C.FillStringTensor(value, unsafe.SliceData(c), C.size_t(len(c))))
}

// goValue copies a value out of C; the caller still releases it.
func goValue(v *C.OrtValue) (tensor.Value, error) {
	var kind C.int
	if err := statusError(C.GetValueType(v, &kind)); err != nil {
		return nil, err
	}
	switch ort.ONNXType(kind) {
	case ort.ONNXTypeTensor:
		return goTensor(v)
	case ort.ONNXTypeSequence:
		return goSequence(v)
	case ort.ONNXTypeMap:
		return goMap(v)
	}
	return nil, fmt.Errorf("a value of kind %s is not served", ort.ONNXType(kind))
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
	var v *C.OrtValue
	if err := statusError(C.GetValue(container, C.int(i), &v)); err != nil {
		return nil, err
	}
	defer C.ReleaseOrtValue(v)
	return goValue(v)
}

func goTensor(v *C.OrtValue) (tensor.Value, error) {
	dtype, shape, err := typeAndShape(v)
	if err != nil {
		return nil, err
	}
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, err
	}
	t := &tensor.Tensor{DType: dtype, Shape: shape, Data: tensor.Make(dtype, int(count))}
	if text, ok := t.Data.([]string); ok {
		return t, readStrings(v, text)
	}
	var from unsafe.Pointer
	if err := statusError(C.GetTensorMutableData(v, &from)); err != nil {
		return nil, err
	}
	if to, size := memoryOf(t.Data); size > 0 {
		copy(unsafe.Slice((*byte)(to), size), unsafe.Slice((*byte)(from), size))
	}
	return t, nil
}

func typeAndShape(v *C.OrtValue) (tensor.DType, []int64, error) {
	var info *C.Info
	if err := statusError(C.GetTensorTypeAndShape(v, &info)); err != nil {
		return tensor.Invalid, nil, err
	}
	defer C.ReleaseTensorTypeAndShapeInfo(info)
	var elementType C.int
	if err := statusError(C.GetTensorElementType(info, &elementType)); err != nil {
		return tensor.Invalid, nil, err
	}
	var rank C.size_t
	if err := statusError(C.GetDimensionsCount(info, &rank)); err != nil {
		return tensor.Invalid, nil, err
	}
	shape := make([]int64, rank)
	if err := statusError(C.GetDimensions(info, (*C.int64_t)(unsafe.SliceData(shape)), rank)); err != nil {
		return tensor.Invalid, nil, err
	}
	dtype := dtypeOf(ort.TensorElementDataType(elementType))
	if dtype == tensor.Invalid {
		return dtype, nil, fmt.Errorf("element type %s is not served", ort.TensorElementDataType(elementType))
	}
	return dtype, shape, nil
}

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
