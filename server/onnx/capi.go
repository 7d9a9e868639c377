package onnx

// #include "binding.h"
import "C"

import (
	"errors"
	"strings"
	"unsafe"
)

func statusError(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.ReleaseOrtStatus(status)
	return errors.New(strings.TrimSpace(C.GoString(C.GetErrorMessage(status))))
}

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
