package onnx

// #include "frame.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

func inputSpecs(session unsafe.Pointer) ([]tensor.Spec, error) {
	var n C.size_t
	if err := statusError(C.SessionGetInputCount(session, &n)); err != nil {
		return nil, err
	}
	return specs(int(n), func(i C.size_t, name **C.char, slot *C.Slot) *C.OrtStatus {
		return C.DescribeInput(session, i, name, slot)
	})
}

func outputSpecs(session unsafe.Pointer) ([]tensor.Spec, error) {
	var n C.size_t
	if err := statusError(C.SessionGetOutputCount(session, &n)); err != nil {
		return nil, err
	}
	return specs(int(n), func(i C.size_t, name **C.char, slot *C.Slot) *C.OrtStatus {
		return C.DescribeOutput(session, i, name, slot)
	})
}

func specs(n int, describe func(C.size_t, **C.char, *C.Slot) *C.OrtStatus) ([]tensor.Spec, error) {
	var slot C.Slot
	defer C.EmptySlot(&slot)
	all := make([]tensor.Spec, n)
	for i := range all {
		var name *C.char
		err := statusError(describe(C.size_t(i), &name, &slot))
		all[i].Name = C.GoString(name)
		C.FreeWithDefaultORTAllocator(unsafe.Pointer(name))
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		if err := fill(&all[i], &slot); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func fill(spec *tensor.Spec, slot *C.Slot) error {
	switch kind := ort.ONNXType(slot.kind); kind {
	case ort.ONNXTypeTensor:
		elementType := ort.TensorElementDataType(slot._type)
		spec.DType, spec.Shape = dtypeOf(elementType), slices.Clone(shapeOf(slot))
		if spec.DType == tensor.Invalid {
			return fmt.Errorf("%q has element type %s, which is not served", spec.Name, elementType)
		}
	case ort.ONNXTypeSequence:
		spec.Kind = tensor.KindSequence
	case ort.ONNXTypeMap:
		spec.Kind = tensor.KindMap
	default:
		return fmt.Errorf("%q is of kind %s, which is not served", spec.Name, kind)
	}
	return nil
}
