package onnx

// #include "run_state.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"slipway/server/tensor"
)

// runState is what one run at a time needs. A session keeps its run states for the next runs.
type runState struct {
	c               *C.RunState
	inputs, outputs []C.Value // in C's memory
	inputNames      []*C.char
	outputNames     []*C.char
	selected        []int // indices of the outputs of this run
	pinner          runtime.Pinner
	watch           *watch
}

func newRunState(s *Session) (*runState, error) {
	c := C.NewRunState(C.size_t(len(s.inputNames)), C.size_t(len(s.outputs)))
	if err := statusError(C.CreateRunOptions(&c.options)); err != nil {
		C.FreeRunState(c)
		return nil, err
	}
	return &runState{
		c:           c,
		inputs:      unsafe.Slice(c.inputs, len(s.inputNames)),
		inputNames:  unsafe.Slice(c.input_names, len(s.inputNames)),
		outputs:     unsafe.Slice(c.outputs, len(s.outputs)),
		outputNames: unsafe.Slice(c.output_names, len(s.outputs)),
		selected:    make([]int, 0, len(s.outputs)),
		watch:       newWatch(c.options),
	}, nil
}

func (r *runState) free() { C.FreeRunState(r.c) }

// selectOutputs sets the outputs of the run, all of them when names is nil.
func (r *runState) selectOutputs(s *Session, names []string) error {
	r.selected = r.selected[:0]
	if names == nil {
		for i := range s.outputs {
			r.selected = append(r.selected, i)
		}
	}
	for _, name := range names {
		i, err := s.output(name)
		if err != nil {
			return err
		}
		if len(r.selected) == len(s.outputs) {
			return fmt.Errorf("more outputs are requested than the %d that the model has", len(s.outputs))
		}
		r.selected = append(r.selected, i)
	}
	for i, output := range r.selected {
		r.outputNames[i] = s.outputNames[output]
	}
	r.c.selected_count = C.size_t(len(r.selected))
	return nil
}

// bindAll binds the inputs that are given.
func (r *runState) bindAll(s *Session, inputs []*tensor.Tensor) error {
	given := 0
	for i, t := range inputs {
		if t == nil && i >= len(s.inputs) {
			continue
		}
		if err := r.bind(given, t); err != nil {
			return fmt.Errorf("input %q: %w", C.GoString(s.inputNames[i]), err)
		}
		r.inputNames[given] = s.inputNames[i]
		given++
	}
	r.c.given_count = C.size_t(given)
	return nil
}

// bind lends an input's memory to C until release; strings are copied.
func (r *runState) bind(i int, t *tensor.Tensor) (err error) {
	value := &r.inputs[i]
	if text, ok := t.Data.([]string); ok {
		value.handle, err = stringTensor(t.Shape, text)
		return err
	}
	if len(t.Shape) > int(value.shape_capacity) || value.shape == nil {
		C.ReserveShape(value, C.size_t(len(t.Shape)))
	}
	value.rank = C.size_t(len(t.Shape))
	value._type = C.uint(elementTypes[t.DType])
	copy(unsafe.Slice((*int64)(value.shape), len(t.Shape)), t.Shape)
	memory := t.Memory()
	data, size := unsafe.Pointer(unsafe.SliceData(memory)), len(memory)
	if size == 0 {
		data = unsafe.Pointer(&empty) // an empty tensor still needs an address
	}
	r.pinner.Pin(data)
	value.data, value.size = data, C.size_t(size)
	return nil
}

var empty [8]byte

// release ends the loan of the inputs and frees the outputs.
func (r *runState) release() {
	C.ReleaseRun(r.c)
	r.pinner.Unpin()
}
