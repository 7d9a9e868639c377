package rows

import (
	"slices"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// sendColumns is what to do where rows cannot be served.
const sendColumns = `send columns ({"inputs": …}) or a request of the Open Inference Protocol`

// Check returns an error if one of the given inputs can't be given for that many
// instances, or an output can't be given back as rows.
func Check(inputs []tensor.Spec, given []tensor.Named, outputs []tensor.Spec, count int) error {
	for _, in := range given {
		if spec := specNamed(inputs, in.Name); spec.Rows == tensor.NoRows && !single(spec, count) {
			return fault.New(fault.InvalidArgument, "input %q has no axis for rows: %s", in.Name, sendColumns)
		}
	}
	for _, out := range outputs {
		if out.Rows == tensor.NoRows && count != 1 {
			return noRows(out.Name)
		}
	}
	return nil
}

// single reports whether an input takes one instance and no more.
func single(s tensor.Spec, count int) bool {
	return count == 1 && len(s.Shape) > 0 && s.Shape[0] == 1
}

// Stack returns the inputs of instances, which have the rows along the first axis, as
// the model takes them.
func Stack(specs []tensor.Spec, inputs []tensor.Named) []tensor.Named {
	stacked, owned := inputs, false
	for i, in := range inputs {
		t, isTensor := in.Value.(*tensor.Tensor)
		axis := specNamed(specs, in.Name).Rows.Axis()
		if axis == 0 || !isTensor || axis >= len(t.Shape) { // a wrong rank is refused as it came
			continue
		}
		if !owned {
			stacked, owned = slices.Clone(inputs), true
		}
		stacked[i].Value = t.FromFront(axis)
	}
	return stacked
}

// Unstack returns the outputs for that many instances with their rows along the first
// axis. An output that nobody has seen to follow the rows must leave no doubt.
func Unstack(specs []tensor.Spec, outputs []tensor.Named, count int) ([]tensor.Named, error) {
	rows, owned := outputs, false
	for i, out := range outputs {
		spec := specNamed(specs, out.Name)
		if err := checkRows(spec, out, count); err != nil {
			return nil, err
		}
		if axis := spec.Rows.Axis(); axis > 0 {
			if !owned {
				rows, owned = slices.Clone(outputs), true
			}
			rows[i].Value = tensor.RowsFirst(out.Value, axis)
		}
	}
	return rows, nil
}

// checkRows returns an error if an output does not have one row for each instance, or if
// that may be so by chance.
func checkRows(s tensor.Spec, out tensor.Named, count int) error {
	n, ok := tensor.RowsOf(out.Value, s.Rows.Axis())
	switch {
	case ok && n == count && (s.Rows != 0 || count == 1 || !doubtful(s, out.Value, count)):
		return nil
	case s.Rows == tensor.NoRows:
		return noRows(out.Name)
	case ok && n == count:
		return fault.New(fault.InvalidArgument,
			"output %q %s for %d instances, and no run at load has shown which axis has their rows: %s, or give the model golden answers or a warmUp that it takes",
			out.Name, described(out.Value), count, sendColumns)
	}
	return fault.New(fault.InvalidArgument, "output %q %s, which is not one row for each of the %d instances: %s",
		out.Name, described(out.Value), count, sendColumns)
}

func noRows(output string) error {
	return fault.New(fault.InvalidArgument, "output %q has no axis for rows: %s", output, sendColumns)
}

// specNamed returns the spec of that name.
func specNamed(specs []tensor.Spec, name string) tensor.Spec {
	for _, s := range specs {
		if s.Name == name {
			return s
		}
	}
	return tensor.Spec{}
}

// doubtful reports whether the first axis may be as long as there are instances by
// chance: the model fixes it, or leaves another one open that is as long.
func doubtful(s tensor.Spec, v tensor.Value, count int) bool {
	switch v := v.(type) {
	case *tensor.Tensor:
		if len(s.Shape) > 0 && s.Shape[0] >= 0 {
			return true
		}
		for axis := 1; axis < len(v.Shape); axis++ {
			if v.Shape[axis] == int64(count) && (axis >= len(s.Shape) || s.Shape[axis] < 0) {
				return true
			}
		}
	case tensor.Sequence:
		n, ok := tensor.RowsOf(v, 1)
		return ok && n == count
	}
	return false
}
