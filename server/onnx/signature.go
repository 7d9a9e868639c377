package onnx

// #include "session.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

func inputSpecs(session *C.OrtSession) ([]tensor.Spec, error) {
	var n C.size_t
	if err := statusError(C.SessionGetInputCount(session, &n)); err != nil {
		return nil, err
	}
	return specs(int(n), func(i C.size_t, name **C.char, value *C.Value) *C.OrtStatus {
		return C.DescribeInput(session, i, name, value)
	})
}

// optionalSpecs describes the inputs that have a default.
func optionalSpecs(session *C.OrtSession) ([]tensor.Spec, error) {
	var n C.size_t
	if err := statusError(C.CountOptional(session, &n)); err != nil {
		return nil, err
	}
	all, err := specs(int(n), func(i C.size_t, name **C.char, value *C.Value) *C.OrtStatus {
		return C.DescribeOptional(session, i, name, value)
	})
	for i := range all {
		all[i].Optional = true
	}
	return all, err
}

func outputSpecs(session *C.OrtSession) ([]tensor.Spec, error) {
	var n C.size_t
	if err := statusError(C.SessionGetOutputCount(session, &n)); err != nil {
		return nil, err
	}
	return specs(int(n), func(i C.size_t, name **C.char, value *C.Value) *C.OrtStatus {
		return C.DescribeOutput(session, i, name, value)
	})
}

func specs(n int, describe func(C.size_t, **C.char, *C.Value) *C.OrtStatus) ([]tensor.Spec, error) {
	var value C.Value
	defer C.FreeValue(&value)
	all := make([]tensor.Spec, n)
	for i := range all {
		var name *C.char
		err := statusError(describe(C.size_t(i), &name, &value))
		all[i].Name = C.GoString(name)
		C.FreeWithDefaultORTAllocator(unsafe.Pointer(name))
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		if err := fill(&all[i], &value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func fill(spec *tensor.Spec, value *C.Value) error {
	switch kind := ort.ONNXType(value.kind); kind {
	case ort.ONNXTypeTensor:
		elementType := ort.TensorElementDataType(value._type)
		spec.DType, spec.Shape = dtypeOf(elementType), slices.Clone(shapeOf(value))
		if spec.DType == tensor.Invalid {
			return fmt.Errorf("%q has element type %s, which is not served", spec.Name, elementType)
		}
		spec.Dims, spec.Unranked = dimensionNames(value), value.unranked != 0
	case ort.ONNXTypeSequence:
		spec.Kind = tensor.KindSequence
	case ort.ONNXTypeMap:
		spec.Kind = tensor.KindMap
	default:
		return fmt.Errorf("%q is of kind %s, which is not served", spec.Name, kind)
	}
	return nil
}

// dimensionNames returns the names that a model gives the dimensions of an input or
// output, or nil if it gives none.
func dimensionNames(value *C.Value) []string {
	names, some := make([]string, value.names_count), false
	for i, name := range unsafe.Slice(value.names, value.names_count) {
		names[i] = C.GoString(name)
		some = some || names[i] != ""
	}
	if !some {
		return nil
	}
	return names
}
