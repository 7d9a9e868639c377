package serving

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/server/modelconfig"
	"slipway/server/names"
	"slipway/server/tensor"
)

// checkDeclared compares what a config.pbtxt declares with the model.
func (v *candidate) checkDeclared() error {
	for _, d := range v.config.Declared {
		specs, kind := v.Outputs, "output"
		if d.Input {
			specs, kind = v.Accepts(), "input"
		}
		at := indexOf(specs, d.Name)
		if at < 0 {
			return fmt.Errorf("config.pbtxt: %s %q: the model has none of that name; it has %s", kind, d.Name, names.List(d.Name, tensor.Names(specs)))
		}
		if d.Optional && !specs[at].Optional {
			return fmt.Errorf("config.pbtxt: %s %q: optional: the model has no default for it; remove the line, or export the model with an initializer of that name among its inputs", kind, d.Name)
		}
		if specs[at].Kind != tensor.KindTensor {
			continue
		}
		if specs[at].DType != d.DType {
			return fmt.Errorf("config.pbtxt: %s %q: data_type is %s, the model's is %s", kind, d.Name, d.DType, specs[at].DType)
		}
		if d.Dims != nil && !compatible(d.Dims, specs[at].Shape) && !withoutBatch(d, specs[at]) {
			return fmt.Errorf("config.pbtxt: %s %q: dims make the shape %s, the model's is %s", kind, d.Name,
				tensor.ShapeString(d.Dims), tensor.ShapeString(specs[at].Shape))
		}
	}
	return nil
}

// withoutBatch reports whether an input is declared as it is, without the batch, which an
// input that has a default need not have.
func withoutBatch(d modelconfig.Declared, spec tensor.Spec) bool {
	return spec.Optional && len(d.Dims) > 0 && compatible(d.Dims[1:], spec.Shape)
}

// compatible reports whether two shapes are the same where neither is open. The rank
// of a model's empty shape is not known.
func compatible(a, b []int64) bool {
	if len(b) == 0 {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] >= 0 && b[i] >= 0 && a[i] != b[i] {
			return false
		}
	}
	return true
}

// checkWarmUps compares what the warm-ups of the configuration describe with the model.
func (v *candidate) checkWarmUps() error {
	var all []error
	for i, w := range v.config.WarmUp {
		for _, name := range slices.Sorted(maps.Keys(w.Inputs)) {
			if err := v.checkWarmUp(name, w); err != nil {
				all = append(all, fmt.Errorf("warmUp[%d].inputs.%s: %w", i, name, err))
			}
		}
	}
	return errors.Join(all...)
}

func (v *candidate) checkWarmUp(name string, w modelconfig.WarmUp) error {
	inputs := v.Accepts()
	at := indexOf(inputs, name)
	if at < 0 {
		return fmt.Errorf("the model has no input of that name; it has %s", names.List(name, tensor.Names(inputs)))
	}
	spec, given := inputs[at], w.Inputs[name]
	if given.DType != tensor.Invalid && given.DType != spec.DType {
		return fmt.Errorf("the datatype is %s, the model's is %s", given.DType, spec.DType)
	}
	if shape := warmUpShape(spec, given, w.BatchSize); !compatible(shape, spec.Shape) {
		return fmt.Errorf("dims make the shape %s, the model's is %s", tensor.ShapeString(shape), tensor.ShapeString(spec.Shape))
	}
	return nil
}

// warmUpShape returns the shape of an input that a warm-up describes: whole, or as
// Triton writes it, without the batch.
func warmUpShape(spec tensor.Spec, given modelconfig.WarmUpInput, batch int) []int64 {
	if len(given.Dims) == len(spec.Shape)-1 {
		return append([]int64{int64(max(batch, 1))}, given.Dims...)
	}
	return slices.Clone(given.Dims)
}
