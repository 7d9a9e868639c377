package serving

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/tensor"
)

// warmUp makes the runs that the configuration describes, or else one on zeros with
// 1 for every open dimension, so that the first request does not pay for ONNX
// Runtime's first allocations. Not every model takes zeros; that is no fault of the
// model. It returns the inputs of the runs that succeeded.
func (v *candidate) warmUp(ctx context.Context) ([][]*tensor.Tensor, error) {
	if len(v.config.WarmUp) == 0 {
		if v.takesNumbers() {
			return nil, errors.New("an input is a whole number, of which none can be made up; describe one under warmUp")
		}
		ctx, cancel := context.WithTimeout(ctx, warmUpLimit)
		defer cancel()
		inputs, err := v.makeInputs(modelconfig.WarmUp{BatchSize: 1}, nil)
		if err != nil {
			return nil, err
		}
		if _, err := v.session.Run(ctx, inputs, nil); err != nil {
			return nil, err
		}
		return [][]*tensor.Tensor{inputs}, nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	var succeeded [][]*tensor.Tensor
	for i, w := range v.config.WarmUp {
		inputs, err := v.makeInputs(w, random)
		if err != nil {
			return succeeded, fmt.Errorf("warmUp[%d] %q: %w", i, w.Name, err)
		}
		for range max(w.Count, 1) {
			if _, err := v.session.Run(ctx, inputs, nil); err != nil {
				return succeeded, fmt.Errorf("warmUp[%d] %q: %w", i, w.Name, err)
			}
		}
		succeeded = append(succeeded, inputs)
	}
	return succeeded, nil
}

// warmUpFailure returns why a warm-up that the configuration asks for keeps the version
// from being loaded. What the model refuses, it always refuses.
func (v *candidate) warmUpFailure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if fault.CodeOf(err) == fault.InvalidArgument {
		return permanent(err)
	}
	return err
}

// longRun is the time from which a run keeps one of Go's processors from others
// for long enough to matter.
const longRun = time.Millisecond

// runsLong reports whether a warm run takes that long.
func (v *candidate) runsLong(ctx context.Context, warm [][]*tensor.Tensor) bool {
	if len(warm) == 0 {
		return false
	}
	began := time.Now()
	_, err := v.session.Run(ctx, warm[0], nil)
	return err == nil && time.Since(began) >= longRun
}

// warmUpLimit bounds a warm-up run that no configuration describes.
const warmUpLimit = 10 * time.Second

// takesNumbers reports whether the model has an input that is one whole number: a
// count or an axis, for which a wrong value can keep a run going for ever.
func (v *candidate) takesNumbers() bool {
	for _, s := range v.Inputs {
		if len(s.Shape) == 0 && s.DType >= tensor.Int8 && s.DType <= tensor.Uint64 {
			return true
		}
	}
	return false
}

// makeInputs makes inputs of the shapes that w gives, or else of the model's with 1
// for what is open: zeros, or random values where w says so.
func (v *candidate) makeInputs(w modelconfig.WarmUp, random *rand.Rand) ([]*tensor.Tensor, error) {
	accepts := v.Accepts()
	inputs := make([]*tensor.Tensor, len(accepts))
	for i, spec := range accepts {
		if _, named := w.Inputs[spec.Name]; spec.Optional && !named {
			continue
		}
		var generator tensor.Generator
		shape := spec.Closed(int64(w.BatchSize))
		if given, named := w.Inputs[spec.Name]; named {
			shape = warmUpShape(spec, given, w.BatchSize)
			if given.Random {
				generator.Random = random
			}
		}
		var err error
		if inputs[i], err = generator.Tensor(spec.DType, shape); err != nil {
			return nil, fmt.Errorf("input %q: %w", spec.Name, err)
		}
	}
	return inputs, nil
}
