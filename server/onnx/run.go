package onnx

// #include "binding.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// Run computes the named outputs, all of them when outputs is nil, from inputs
// in the order of Inputs. The caller has checked the inputs against their specs.
func (s *Session) Run(inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
	wanted, wantedNames, err := s.outputsNamed(outputs)
	if err != nil {
		return nil, err
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := make([]*C.OrtValue, 0, len(inputs))
	answers := make([]*C.OrtValue, len(wanted))
	defer func() {
		for _, v := range append(given, answers...) {
			if v != nil {
				C.ReleaseOrtValue(v)
			}
		}
	}()
	for i, t := range inputs {
		v, err := newValue(t, &pinner)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", s.inputs[i].Name, err)
		}
		given = append(given, v)
	}
	status := C.RunOrtSession(s.handle, unsafe.SliceData(given), unsafe.SliceData(s.inputNames), C.int(len(given)),
		unsafe.SliceData(answers), unsafe.SliceData(wantedNames), C.int(len(answers)))
	if err := statusError(status); err != nil {
		return nil, classify(err)
	}
	result := make([]tensor.Named, len(wanted))
	for i, at := range wanted {
		value, err := goValue(answers[i])
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", s.outputs[at].Name, err)
		}
		result[i] = tensor.Named{Name: s.outputs[at].Name, Value: value}
	}
	return result, nil
}

// outputsNamed are the places of the named outputs and their names for C.
func (s *Session) outputsNamed(outputs []string) ([]int, cStrings, error) {
	if outputs == nil {
		all := make([]int, len(s.outputs))
		for i := range all {
			all[i] = i
		}
		return all, s.outputNames, nil
	}
	places, cNames := make([]int, 0, len(outputs)), make(cStrings, 0, len(outputs))
next:
	for _, name := range outputs {
		for i, spec := range s.outputs {
			if spec.Name == name {
				places, cNames = append(places, i), append(cNames, s.outputNames[i])
				continue next
			}
		}
		return nil, nil, fmt.Errorf("the model has no output %q", name)
	}
	return places, cNames, nil
}

// classify tells the runtime's own refusal of the inputs, which only it can
// check when the model leaves a rank or a dimension open, from a run that failed.
func classify(err error) error {
	for _, refusal := range []string{"Invalid rank for input", "Got invalid dimensions for input"} {
		if strings.HasPrefix(err.Error(), refusal) {
			return fault.Wrap(fault.InvalidArgument, err)
		}
	}
	return err
}
