package serving

import (
	"slipway/server/fault"
	"slipway/server/tensor"
)

// dimension is a dimension of one of the inputs that a request may give.
type dimension struct{ input, axis int }

// sharedDimension are two dimensions that have one name: whatever its size is, it is
// that of both.
type sharedDimension struct {
	name          string
	first, second dimension
}

// sharedDimensions returns the dimensions whose name came before.
func sharedDimensions(inputs []tensor.Spec) (all []sharedDimension) {
	first := map[string]dimension{}
	for i, in := range inputs {
		for axis, size := range in.Shape {
			name := in.DimName(axis)
			if size >= 0 || name == "" {
				continue
			}
			if known, seen := first[name]; seen {
				all = append(all, sharedDimension{name, known, dimension{i, axis}})
			} else {
				first[name] = dimension{i, axis}
			}
		}
	}
	return all
}

// checkDimensions compares the sizes of dimensions that share a name. The runtime does
// not, and its kernels report what comes of it, or compute something.
func (v *candidate) checkDimensions(ordered, optional []*tensor.Tensor) error {
	given := func(input int) *tensor.Tensor {
		switch {
		case input < len(ordered):
			return ordered[input]
		case optional == nil:
			return nil
		}
		return optional[input-len(ordered)]
	}
	for _, d := range v.shared {
		a, b := given(d.first.input), given(d.second.input)
		if a == nil || b == nil {
			continue
		}
		if x, y := a.Shape[d.first.axis], b.Shape[d.second.axis]; x != y {
			all := v.Accepts()
			return fault.New(fault.InvalidArgument, "input %q: dimension %d (%s) is %d, that of input %q is %d; they must be the same",
				all[d.second.input].Name, d.second.axis, d.name, y, all[d.first.input].Name, x)
		}
	}
	return nil
}
