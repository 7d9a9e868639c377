package onnx

// #include "frame.h"
import "C"

import (
	"context"
	"fmt"
	"strings"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// Run computes the named outputs, all of them when outputs is nil, from inputs
// in the order of Inputs. The caller has checked the inputs against their specs.
// When ctx is done the run is ended and the error says why. Run does not return
// while the inputs' memory may still be read.
func (s *Session) Run(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("run not begun: %w", err)
	}
	if len(inputs) != len(s.inputs) {
		return nil, fmt.Errorf("got %d inputs, the model takes %d", len(inputs), len(s.inputs))
	}
	f := s.take()
	defer s.put(f)
	if err := f.want(s, outputs); err != nil {
		return nil, err
	}
	for i, t := range inputs {
		if err := f.give(i, t); err != nil {
			return nil, fmt.Errorf("input %q: %w", s.inputs[i].Name, err)
		}
	}
	if err := f.run(ctx, s); err != nil {
		return nil, err
	}
	return f.answer(s)
}

func (f *frame) run(ctx context.Context, s *Session) error {
	options, ended, err := f.watch(ctx)
	if err != nil {
		return err
	}
	status := C.RunFrame(f.c, s.handle, options, s.memory)
	stopped := ended()
	err = statusError(status)
	if err != nil && stopped {
		return fmt.Errorf("run ended early: %w (%w)", context.Cause(ctx), err)
	}
	return classify(err)
}

// answer copies the outputs out of C.
func (f *frame) answer(s *Session) ([]tensor.Named, error) {
	result := make([]tensor.Named, len(f.wanted))
	for i, at := range f.wanted {
		value, err := goValue(&f.outputs[i])
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", s.outputs[at].Name, err)
		}
		result[i] = tensor.Named{Name: s.outputs[at].Name, Value: value}
	}
	return result, nil
}

// classify tells the runtime's own refusal of the inputs, which only it can
// check when the model leaves a rank or a dimension open, from a run that failed.
func classify(err error) error {
	if err == nil {
		return nil
	}
	for _, refusal := range []string{"Invalid rank for input", "Got invalid dimensions for input"} {
		if strings.HasPrefix(err.Error(), refusal) {
			return fault.Wrap(fault.InvalidArgument, err)
		}
	}
	return err
}

// take is a frame that nobody runs with.
func (s *Session) take() *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.frames); n > 0 {
		f := s.frames[n-1]
		s.frames = s.frames[:n-1]
		return f
	}
	return newFrame(s)
}

// put gives a frame back when its run is over.
func (s *Session) put(f *frame) {
	f.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
}
