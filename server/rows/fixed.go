package rows

import (
	"context"
	"reflect"
	"slices"
	"time"

	"slipway/server/golden"
	"slipway/server/tensor"
)

// fixedRows returns how many rows a model takes that takes no other number of them: its
// inputs all begin with it. One row it takes even if other dimensions are open; those are
// the sizes of an image, say. A model without inputs takes no rows.
func fixedRows(inputs []tensor.Spec) (size int64, fixed bool) {
	for i, in := range inputs {
		if len(in.Shape) == 0 || in.Shape[0] < 1 || i > 0 && in.Shape[0] != size {
			return 0, false
		}
		size = in.Shape[0]
	}
	return size, size == 1 || !slices.ContainsFunc(inputs, func(s tensor.Spec) bool { return len(openAxes(s)) > 0 })
}

// fixedAxes returns the axes of a model that takes one number of rows, or none.
func fixedAxes(m *Model) Axes {
	a := Axes{Outputs: make([]tensor.RowAxis, len(m.Outputs))}
	for range m.Inputs {
		a.Inputs = append(a.Inputs, tensor.RowsAt(0))
	}
	for i := range a.Outputs {
		if len(m.Inputs) == 0 {
			a.Outputs[i] = tensor.NoRows
		}
	}
	return a
}

// learnFixed learns from two batches of the only size, of which the second has the rows
// of the first in another order. A single row needs no proof: what has one row is its.
func learnFixed(ctx context.Context, m *Model, a Axes, size int64) (Axes, error) {
	if size < 2 {
		return a, nil
	}
	s := &sampler{model: m, axes: a.Inputs, until: time.Now().Add(learnTime)}
	first, second := s.turned(ctx, size)
	if second == nil {
		return a, s.err
	}
	for i := range m.Outputs {
		a.Outputs[i] = turnedAxis(first[i].Value, second[i].Value, int(size))
	}
	return a, nil
}

// turned returns the responses to a batch and to one whose first row comes last.
func (s *sampler) turned(ctx context.Context, size int64) (first, second []tensor.Named) {
	given := [][]*tensor.Tensor{}
	for _, example := range s.model.Golden[:min(1, len(s.model.Golden))] {
		given = append(given, example.Inputs)
	}
	if !s.model.OnlyGiven {
		given = append(given, s.batch())
	}
	for _, inputs := range given {
		turned := make([]*tensor.Tensor, len(inputs))
		for i, t := range inputs {
			turned[i], _ = tensor.Concat([]*tensor.Tensor{t.Rows(1, int(size)), t.Rows(0, 1)}, 0)
		}
		if reflect.DeepEqual(inputs, turned) { // of equal rows nobody sees where they are
			continue
		}
		if first, s.err = s.model.Run(ctx, inputs); s.err != nil {
			continue
		}
		if second, s.err = s.model.Run(ctx, turned); s.err == nil {
			return first, second
		}
	}
	return nil, nil
}

// batch returns random inputs of the model's own shapes, or nil.
func (s *sampler) batch() []*tensor.Tensor {
	shapes := make([][]int64, len(s.model.Inputs))
	for i, in := range s.model.Inputs {
		shapes[i] = in.Shape
	}
	rows := s.make(shapes, make([]int64, len(shapes)), 0)
	if rows == nil {
		return nil
	}
	return rows[0]
}

// turnedAxis returns the axis along which second has the parts of first, the first of
// them last; NoRows if there is none, and 0 if there are several, as where all numbers are
// the same.
func turnedAxis(first, second tensor.Value, size int) tensor.RowAxis {
	found := tensor.NoRows
	most := 2
	if t, ok := first.(*tensor.Tensor); ok {
		most = len(t.Shape)
	}
axes:
	for axis := range most {
		n, ok := tensor.RowsOf(first, axis)
		if also, has := tensor.RowsOf(second, axis); !ok || !has || n != size || also != size {
			continue
		}
		for r := range size {
			before := tensor.SliceOf(first, axis, (r+1)%size, (r+1)%size+1)
			if compare(tensor.SliceOf(second, axis, r, r+1), before, golden.DefaultTolerance) != equal {
				continue axes
			}
		}
		if found != tensor.NoRows {
			return 0
		}
		found = tensor.RowsAt(axis)
	}
	return found
}
