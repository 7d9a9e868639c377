package onnx

// #include "runtime.h"
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"slipway/server/fault"
)

// statusFailure is what a call of the runtime reported.
type statusFailure struct {
	code C.int
	text string
}

func (f *statusFailure) Error() string { return f.text }

// statusError returns what a call of the runtime reported, and frees it.
func statusError(status *C.OrtStatus) error {
	if status == nil {
		return nil
	}
	defer C.ReleaseOrtStatus(status)
	return &statusFailure{code: C.ErrorCode(status), text: strings.TrimSpace(C.GoString(C.GetErrorMessage(status)))}
}

// noMemory are the runtime's words, and C++'s, for memory that it did not get.
var noMemory = []string{"bad_alloc", "Failed to allocate memory", "is smaller than requested bytes"}

// classify gives the error of a run its kind. A kernel fails because of what it was
// given, and only it can find that out: an index beyond a table, shapes that do not
// fit together, more rows than positions. The rest is the machine's: memory, a file, a
// kernel that does not exist.
func classify(err error) error {
	failure, ok := errors.AsType[*statusFailure](err)
	if !ok {
		return err
	}
	for _, words := range noMemory {
		if strings.Contains(failure.text, words) {
			return withoutMemory(err)
		}
	}
	switch failure.code {
	case C.ERROR_INVALID_ARGUMENT, C.ERROR_FAIL, C.ERROR_RUNTIME_EXCEPTION:
		return fault.Wrap(fault.InvalidArgument, err)
	}
	return err
}

func withoutMemory(err error) error {
	if running.Load() > 1 {
		return &fault.Error{Code: fault.Overloaded, RetryAfter: time.Second, Err: fmt.Errorf("other runs hold the memory for runs; try again later: %w", err)}
	}
	return fault.New(fault.TooLarge, "the run needs more memory than the server has for runs; request fewer rows or less output: %w", err)
}
