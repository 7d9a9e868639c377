package onnx

// #include "value.h"
import "C"

import (
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// cStrings are strings in C's memory.
type cStrings []*C.char

func newCStrings(all []string) cStrings {
	c := make(cStrings, len(all))
	for i, s := range all {
		c[i] = C.CString(s)
	}
	return c
}

func (c cStrings) free() {
	for _, s := range c {
		C.free(unsafe.Pointer(s))
	}
}

// stringTensor makes the runtime's tensor of strings, which holds copies of any bytes.
func stringTensor(shape []int64, text []string) (*C.OrtValue, error) {
	var value *C.OrtValue
	err := statusError(C.CreateTensorAsOrtValue((*C.int64_t)(unsafe.SliceData(shape)), C.int64_t(len(shape)),
		C.uint(ort.TensorElementDataTypeString), &value))
	if err != nil || len(text) == 0 {
		return value, err
	}
	size := 0
	for _, s := range text {
		size += len(s)
	}
	all, lengths := make([]byte, 0, size), make([]C.size_t, len(text))
	for i, s := range text {
		all, lengths[i] = append(all, s...), C.size_t(len(s))
	}
	err = statusError(C.FillStrings(value, (*C.char)(unsafe.Pointer(unsafe.SliceData(all))), unsafe.SliceData(lengths), C.size_t(len(text))))
	if err != nil {
		C.ReleaseOrtValue(value)
		return nil, err
	}
	return value, nil
}

// readStrings fills into with the strings of a tensor.
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
