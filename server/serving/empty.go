package serving

import (
	"context"
	"slices"
	"time"

	"slipway/server/fault"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// emptyRun bounds a run on inputs without elements.
const emptyRun = time.Second

// tryEmpty runs the model on inputs without elements, which any client may send where a
// dimension is open. Most kernels take them or refuse them; those of recurrent networks
// end the process. So only a trial's child may call it, and what it computes does not
// count.
func (v *candidate) tryEmpty(ctx context.Context, to trial.Progress) {
	if !slices.ContainsFunc(v.Inputs, mayBeEmpty) || v.takesNumbers() {
		return
	}
	to.Step(stepEmpty)
	const some = 3
	for _, sizes := range []struct{ rows, others int64 }{{0, 0}, {0, some}, {1, 0}} {
		inputs := make([]*tensor.Tensor, len(v.Inputs))
		for i, in := range v.Inputs {
			shape := slices.Clone(in.Shape)
			for axis, d := range shape {
				switch {
				case d < 0 && axis == in.Rows.Axis():
					shape[axis] = sizes.rows
				case d < 0:
					shape[axis] = sizes.others
				}
			}
			var err error
			if inputs[i], err = (tensor.Generator{}).Tensor(in.DType, shape); err != nil {
				return
			}
		}
		run, cancel := context.WithTimeout(ctx, emptyRun)
		_, _ = v.session.Run(run, inputs, nil)
		cancel()
	}
}

func mayBeEmpty(s tensor.Spec) bool {
	return slices.ContainsFunc(s.Shape, func(d int64) bool { return d < 0 })
}

// checkEmpty refuses inputs without elements if they end the process. It is given them in
// the order of Accepts.
func (v *candidate) checkEmpty(given []*tensor.Tensor) error {
	for i, t := range given {
		if t != nil && t.Len() == 0 {
			return fault.New(fault.InvalidArgument, "input %q: the shape %s has no elements; ONNX Runtime crashes on such inputs of this model, so they are refused",
				v.Accepts()[i].Name, tensor.ShapeString(t.Shape))
		}
	}
	return nil
}
