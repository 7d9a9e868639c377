package onnx

// #include "binding.h"
import "C"

import (
	"errors"
	"strings"
)

// statusError returns what a call of the runtime reported, and frees it.
func statusError(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.ReleaseOrtStatus(status)
	return errors.New(strings.TrimSpace(C.GoString(C.GetErrorMessage(status))))
}
