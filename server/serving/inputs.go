package serving

import (
	"slices"

	"slipway/server/fault"
	"slipway/server/names"
	"slipway/server/tensor"
)

// Accepts returns every input that a request may give, those that have a default last.
func (v *candidate) Accepts() []tensor.Spec {
	if len(v.Optional) == 0 {
		return v.Inputs
	}
	return slices.Concat(v.Inputs, v.Optional)
}

// order brings the inputs into the model's order and checks each against its spec. Of
// optional, which is nil if the request gives none of them, those that are left out are
// nil.
func (v *candidate) order(inputs []tensor.Named) (ordered, optional []*tensor.Tensor, err error) {
	ordered = make([]*tensor.Tensor, len(v.Inputs))
	for _, in := range inputs {
		specs, list := v.Inputs, ordered
		at := indexOf(specs, in.Name)
		if at < 0 {
			if at = indexOf(v.Optional, in.Name); at < 0 {
				return nil, nil, fault.New(fault.InvalidArgument, "the model has no input %q; its inputs are %s", in.Name, names.List(in.Name, tensor.Names(v.Accepts())))
			}
			if optional == nil {
				optional = make([]*tensor.Tensor, len(v.Optional))
			}
			specs, list = v.Optional, optional
		}
		if err := place(list, at, specs[at], in); err != nil {
			return nil, nil, err
		}
	}
	for i, t := range ordered {
		if t == nil {
			return nil, nil, fault.New(fault.InvalidArgument, "input %q: missing; expected %s %s",
				v.Inputs[i].Name, v.Inputs[i].DType, tensor.ShapeString(v.Inputs[i].Shape))
		}
	}
	if v.refusesEmpty {
		if err := v.checkEmpty(slices.Concat(ordered, optional)); err != nil {
			return nil, nil, err
		}
	}
	return ordered, optional, v.checkDimensions(ordered, optional)
}

// place checks an input and puts it into the list.
func place(list []*tensor.Tensor, at int, spec tensor.Spec, in tensor.Named) error {
	t, ok := in.Value.(*tensor.Tensor)
	if !ok {
		return fault.New(fault.InvalidArgument, "input %q: must be a tensor", in.Name)
	}
	if list[at] != nil {
		return fault.New(fault.InvalidArgument, "input %q: given twice", in.Name)
	}
	if err := spec.Check(t); err != nil {
		return fault.Wrap(fault.InvalidArgument, err)
	}
	list[at] = t
	return nil
}
