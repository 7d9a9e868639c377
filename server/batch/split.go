package batch

import (
	"fmt"
	"slices"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// outputNames returns the union of the outputs that the members request; nil is all.
func (b *batch) outputNames() []string {
	all := b.members[0].Outputs
	owned := false
	for _, w := range b.members {
		if len(w.Outputs) == 0 {
			return nil
		}
		for _, name := range w.Outputs {
			if slices.Contains(all, name) {
				continue
			}
			if !owned {
				all, owned = slices.Clone(all), true
			}
			all = append(all, name)
		}
	}
	return all
}

// splittable returns nil when every output has a row for each row of the run.
func (q *Queue) splittable(outputs []tensor.Named, rows int) error {
	for _, o := range outputs {
		axis := q.options.OutputAxes[o.Name]
		if n, ok := tensor.RowsOf(o.Value, axis); ok && n == rows {
			continue
		}
		switch v := o.Value.(type) {
		case *tensor.Tensor:
			return fmt.Errorf("output %q has shape %s for a batch of %d rows; dimension %d must be that of the inputs", o.Name, tensor.ShapeString(v.Shape), rows, axis)
		case tensor.Sequence:
			return fmt.Errorf("output %q is a sequence of %d for a batch of %d rows; it must have one for each", o.Name, len(v), rows)
		default:
			return fmt.Errorf("output %q is a map, which can't be split by row", o.Name)
		}
	}
	return nil
}

// response returns w's share of its batch's outputs.
func (q *Queue) response(w *waiter) (Response, error) {
	b := w.batch
	if b.err != nil {
		return Response{}, b.err
	}
	outputs, err := selectOutputs(b.outputs, w.Outputs)
	if err != nil {
		return Response{}, err
	}
	if len(b.members) > 1 {
		for i := range outputs {
			outputs[i].Value = tensor.SliceOf(outputs[i].Value, q.options.OutputAxes[outputs[i].Name], w.from, w.from+w.rows)
		}
	}
	return Response{Outputs: outputs, Queued: w.queued, Started: b.started, Finished: b.finished, BatchSize: b.rows}, nil
}

// selectOutputs copies the outputs of the given names, in their order.
func selectOutputs(outputs []tensor.Named, names []string) ([]tensor.Named, error) {
	if len(names) == 0 {
		return slices.Clone(outputs), nil
	}
	picked := make([]tensor.Named, len(names))
	for i, name := range names {
		at := slices.IndexFunc(outputs, func(o tensor.Named) bool { return o.Name == name })
		if at < 0 {
			return nil, fault.New(fault.InvalidArgument, "the model has no output %q", name)
		}
		picked[i] = outputs[at]
	}
	return picked, nil
}
