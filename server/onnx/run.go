package onnx

// #include "run_state.h"
import "C"

import (
	"context"
	"fmt"
	"sync/atomic"

	"slipway/server/admission"
	"slipway/server/tensor"
)

// Run computes the named outputs, all of them when outputs is nil, from inputs
// in the order of Inputs. Those of Optional may follow, nil for one that is left out.
// The caller has checked the inputs against their specs.
// When ctx is done the run is ended and the error says why. Run does not return
// while the inputs' memory may still be read.
func (s *Session) Run(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("run not begun: %w", err)
	}
	if n := len(s.inputs); len(inputs) != n && len(inputs) != n+len(s.optional) {
		return nil, fmt.Errorf("got %d inputs, the model takes %d", len(inputs), len(s.inputs))
	}
	r, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer s.release(r)
	if err := r.selectOutputs(s, outputs); err != nil {
		return nil, err
	}
	if err := r.bindAll(s, inputs); err != nil {
		return nil, err
	}
	if err := r.run(ctx, s); err != nil {
		return nil, err
	}
	charge := s.options.Memory.Charge()
	defer charge.Release()
	if err := r.chargeOutputs(charge); err != nil {
		return nil, err
	}
	return r.copyOutputs(s)
}

// chargeOutputs charges what the copies of the outputs will take.
func (r *runState) chargeOutputs(charge *admission.Charge) error {
	for i := range r.selected {
		size, err := copySize(&r.outputs[i])
		if err == nil {
			err = charge.Add(admission.Run, size)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// running counts the runs of all sessions.
var running atomic.Int64

func (r *runState) run(ctx context.Context, s *Session) error {
	running.Add(1)
	defer running.Add(-1)
	r.watch.start(ctx)
	status := C.RunModel(r.c, s.handle, s.memory)
	ended := r.watch.stop()
	err := statusError(status)
	if err != nil && ended {
		return fmt.Errorf("run ended early: %w (%w)", context.Cause(ctx), err)
	}
	return classify(err)
}

func (r *runState) copyOutputs(s *Session) ([]tensor.Named, error) {
	result := make([]tensor.Named, len(r.selected))
	for i, output := range r.selected {
		value, err := goValue(&r.outputs[i])
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", s.outputs[output].Name, err)
		}
		result[i] = tensor.Named{Name: s.outputs[output].Name, Value: value}
	}
	return result, nil
}

// acquire returns a run state that no run uses.
func (s *Session) acquire() (*runState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		r := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return r, nil
	}
	return newRunState(s)
}

// release keeps a run state for the next run.
func (s *Session) release(r *runState) {
	r.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, r)
}
