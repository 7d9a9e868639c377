package serving

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
	"slipway/server/tensor"
)

// Version is one version of a model, loaded.
type Version struct {
	Model, Number   string
	Inputs, Outputs []tensor.Spec

	session *onnx.Session
	metrics *telemetry.Metrics
}

func open(b repository.Bundle, o onnx.Options, metrics *telemetry.Metrics) (*Version, error) {
	session, err := onnx.Open(b.Path, o)
	if err != nil {
		return nil, err
	}
	return &Version{
		Model: b.Model, Number: strconv.FormatInt(b.Version, 10),
		Inputs: session.Inputs(), Outputs: session.Outputs(),
		session: session, metrics: metrics,
	}, nil
}

// Infer runs the model once. Inputs may come in any order and hold tensors
// only; nil outputs means all of them.
func (v *Version) Infer(inputs []tensor.Named, outputs []string) ([]tensor.Named, error) {
	ordered, err := v.order(inputs)
	if err != nil {
		return nil, err
	}
	if err := v.checkOutputs(outputs); err != nil {
		return nil, err
	}
	began := time.Now()
	answer, err := v.session.Run(ordered, outputs)
	if err != nil {
		return nil, fmt.Errorf("model %q version %s: %w", v.Model, v.Number, err)
	}
	v.metrics.Ran(v.Model, v.Number, time.Since(began))
	return answer, nil
}

// order brings the inputs into the model's order and checks each against its spec.
func (v *Version) order(inputs []tensor.Named) ([]*tensor.Tensor, error) {
	ordered := make([]*tensor.Tensor, len(v.Inputs))
	for _, in := range inputs {
		at := indexOf(v.Inputs, in.Name)
		if at < 0 {
			return nil, fault.New(fault.InvalidArgument, "the model has no input %q; its inputs are %s", in.Name, quoted(v.Inputs))
		}
		t, ok := in.Value.(*tensor.Tensor)
		if !ok {
			return nil, fault.New(fault.InvalidArgument, "input %q: must be a tensor", in.Name)
		}
		if ordered[at] != nil {
			return nil, fault.New(fault.InvalidArgument, "input %q: given twice", in.Name)
		}
		if err := v.Inputs[at].Check(t); err != nil {
			return nil, fault.Wrap(fault.InvalidArgument, err)
		}
		ordered[at] = t
	}
	for i, t := range ordered {
		if t == nil {
			return nil, fault.New(fault.InvalidArgument, "input %q: missing; expected %s %s",
				v.Inputs[i].Name, v.Inputs[i].DType, tensor.ShapeString(v.Inputs[i].Shape))
		}
	}
	return ordered, nil
}

func (v *Version) checkOutputs(outputs []string) error {
	for _, name := range outputs {
		if indexOf(v.Outputs, name) < 0 {
			return fault.New(fault.InvalidArgument, "the model has no output %q; its outputs are %s", name, quoted(v.Outputs))
		}
	}
	return nil
}

// warmUp runs the model once on zeros, with 1 for every dimension that is open,
// so that the first request does not pay for ONNX Runtime's first allocations.
// Not every model takes zeros; that is no fault of the model.
func (v *Version) warmUp() error {
	inputs := make([]*tensor.Tensor, len(v.Inputs))
	for i, spec := range v.Inputs {
		shape := make([]int64, len(spec.Shape))
		for d, size := range spec.Shape {
			shape[d] = max(size, 1)
		}
		count, err := tensor.Count(shape)
		if err != nil {
			return err
		}
		inputs[i] = &tensor.Tensor{DType: spec.DType, Shape: shape, Data: tensor.Make(spec.DType, int(count))}
	}
	_, err := v.session.Run(inputs, nil)
	return err
}

func indexOf(specs []tensor.Spec, name string) int {
	for i, s := range specs {
		if s.Name == name {
			return i
		}
	}
	return -1
}

func quoted(specs []tensor.Spec) string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = strconv.Quote(s.Name)
	}
	return strings.Join(all, ", ")
}
