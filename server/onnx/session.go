package onnx

// #include "session.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/admission"
	"slipway/server/tensor"
)

// Options of a session.
type Options struct {
	IntraOpThreads int  // threads that one run may use, at least 1
	Arena          bool // keep the memory of a run for the next one

	// ExternalBytes is what the model's external weights take. They are refused when
	// that is more than LimitMemory leaves.
	ExternalBytes int64

	// Memory is charged for the copies of outputs while they are made; nil: nothing is.
	Memory *admission.Budget
}

// Session is a loaded model. Run may be called from many goroutines at once;
// Close only when no run is in progress.
type Session struct {
	options                 Options
	inputs, outputs         []tensor.Spec
	optional                []tensor.Spec // inputs that have a default
	inputNames, outputNames cStrings
	handle                  *C.OrtSession
	memory                  *C.OrtMemoryInfo // the CPU's, where inputs are; the binding owns it

	mu   sync.Mutex
	idle []*runState
}

// Open loads the model file at path.
func Open(path string, o Options) (*Session, error) {
	s, err := load(path, o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := s.describe(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.Close())
	}
	return s, nil
}

// load opens the session with the binding's C functions: up to v1.27.0 its Go types
// keep the OrtSession to themselves, and the session that they make loses the
// memory of its path.
func load(path string, o Options) (*Session, error) {
	if err := checkExternal(o.ExternalBytes); err != nil {
		return nil, err
	}
	memory, err := ort.GetMemoryInfo()
	if err != nil {
		return nil, err
	}
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	var arena C.int
	if o.Arena {
		arena = 1
	}
	s := &Session{options: o, memory: (*C.OrtMemoryInfo)(unsafe.Pointer(memory))}
	if err := statusError(C.OpenSession(environment, cPath, C.int(o.IntraOpThreads), arena, &s.handle)); err != nil {
		return nil, err
	}
	return s, nil
}

// describe reads what the model declares.
func (s *Session) describe() (err error) {
	if s.inputs, err = inputSpecs(s.handle); err != nil {
		return fmt.Errorf("input %w", err)
	}
	if s.optional, err = optionalSpecs(s.handle); err != nil {
		return fmt.Errorf("optional input %w", err)
	}
	if s.outputs, err = outputSpecs(s.handle); err != nil {
		return fmt.Errorf("output %w", err)
	}
	all := slices.Concat(s.inputs, s.optional)
	for _, i := range all {
		if i.Kind != tensor.KindTensor {
			return fmt.Errorf("input %q is not a tensor; only outputs may be sequences or maps", i.Name)
		}
	}
	s.inputNames, s.outputNames = newCStrings(tensor.Names(all)), newCStrings(tensor.Names(s.outputs))
	return nil
}

// Inputs returns the model's inputs in the order that Run takes them.
func (s *Session) Inputs() []tensor.Spec { return s.inputs }

// Optional returns the inputs that have a default, in the order that Run takes them
// after Inputs.
func (s *Session) Optional() []tensor.Spec { return s.optional }

// Outputs returns the model's outputs in its own order.
func (s *Session) Outputs() []tensor.Spec { return s.outputs }

// Close frees the model; Trim returns the memory to the system.
func (s *Session) Close() error {
	for _, r := range s.idle {
		r.free()
	}
	s.inputNames.free()
	s.outputNames.free()
	C.ReleaseOrtSession(s.handle)
	return nil
}

// output returns the index of an output.
func (s *Session) output(name string) (int, error) {
	for i := range s.outputs {
		if s.outputs[i].Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the model has no output %q", name)
}
