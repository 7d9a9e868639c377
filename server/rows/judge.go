package rows

import (
	"context"
	"math"
	"slices"

	"slipway/server/golden"
	"slipway/server/tensor"
)

// How sure it is that an output's parts along an axis are the rows.
const (
	none    = iota
	follows // it is as long as there are rows
	near    // and its parts are nearly what the rows give by themselves: dynamic quantization
	equal   // and they are just that
)

// judge compares batches of two and three rows with the rows by themselves.
func (l *learner) judge(ctx context.Context, s *sampler, found *sample) (axes []tensor.RowAxis, grades []int, sure bool, err error) {
	grades = slices.Repeat([]int{equal}, len(l.Outputs))
	stays := slices.Repeat([]bool{true}, len(l.Outputs))
	axes = make([]tensor.RowAxis, len(l.Outputs))
	for size := 2; size <= 3; size++ {
		if size > 2 && l.spent() {
			break
		}
		inputs, err := s.stack(found.rows, size)
		if err != nil {
			return nil, nil, false, err
		}
		response, err := l.Run(ctx, inputs)
		if err != nil {
			return nil, nil, false, err
		}
		for i := range l.Outputs {
			axis := following(found.single[0][i].Value, response[i].Value, size)
			if size > 2 && axis != axes[i] {
				axis = tensor.NoRows
			}
			axes[i] = axis
			grades[i] = min(grades[i], gradeOf(found, i, response[i].Value, axis, size))
			stays[i] = stays[i] && compare(response[i].Value, found.single[0][i].Value, found.tolerance) == equal
		}
	}
	sure = true
	for i, axis := range axes {
		sure = sure && (grades[i] == equal || stays[i])
		if grades[i] == follows && !l.named(s.axes, i, axis) && (axis != tensor.RowsAt(0) || l.namedElse(i)) {
			grades[i] = none // indices, say: as many as there are rows, and no row's own
		}
		if grades[i] == none {
			axes[i] = tensor.NoRows
		}
	}
	return axes, grades, sure, nil
}

// following returns the axis along which a batch is as long as it has rows, where one
// row's response has one element, and NoRows if there is none.
func following(single, batch tensor.Value, rows int) tensor.RowAxis {
	switch one := single.(type) {
	case *tensor.Tensor:
		all, ok := batch.(*tensor.Tensor)
		if !ok || len(one.Shape) != len(all.Shape) {
			return tensor.NoRows
		}
		for axis := range one.Shape {
			if one.Shape[axis] == 1 && all.Shape[axis] == int64(rows) && slices.Equal(one.Shape[:axis], all.Shape[:axis]) &&
				slices.Equal(one.Shape[axis+1:], all.Shape[axis+1:]) {
				return tensor.RowsAt(axis)
			}
		}
	case tensor.Sequence:
		all, ok := batch.(tensor.Sequence)
		switch {
		case !ok:
		case len(one) == 1 && len(all) == rows:
			return tensor.RowsAt(0)
		case len(one) > 0 && len(one) == len(all):
			axis := following(one[0], all[0], rows)
			for i := range one {
				if following(one[i], all[i], rows) != axis {
					return tensor.NoRows
				}
			}
			if axis != tensor.NoRows {
				return tensor.RowsAt(axis.Axis() + 1)
			}
		}
	}
	return tensor.NoRows
}

// gradeOf compares the parts of an output along an axis with the responses to the rows.
func gradeOf(found *sample, output int, batch tensor.Value, axis tensor.RowAxis, size int) int {
	if axis == tensor.NoRows {
		return none
	}
	grade := equal
	for r := range size {
		part := tensor.SliceOf(batch, axis.Axis(), r, r+1)
		grade = min(grade, compare(part, found.single[r%len(found.rows)][output].Value, found.tolerance))
	}
	return grade
}

func compare(got, want tensor.Value, t golden.Tolerance) int {
	same := func(t golden.Tolerance) bool {
		return golden.Equal([]tensor.Named{{Value: got}}, []tensor.Named{{Value: want}}, t) == nil
	}
	const nearly = 0.1 // of the largest number
	switch {
	case same(t):
		return equal
	case same(golden.Tolerance{Absolute: nearly * largest(want), Relative: nearly}):
		return near
	}
	return follows
}

// largest returns the largest number of a value.
func largest(v tensor.Value) (most float64) {
	switch v := v.(type) {
	case *tensor.Tensor:
		for i := range v.Len() {
			if x, ok := v.Float(i); ok && !math.IsInf(x, 0) && !math.IsNaN(x) {
				most = max(most, math.Abs(x))
			}
		}
	case tensor.Sequence:
		for _, element := range v {
			most = max(most, largest(element))
		}
	case tensor.Map:
		return largest(v.Values)
	}
	return most
}

// named reports whether an output's axis has the name of an input's rows.
func (m *Model) named(inputs []tensor.RowAxis, output int, axis tensor.RowAxis) bool {
	out := m.Outputs[output]
	if axis.Axis() >= len(out.Shape) {
		return false
	}
	name := nameOf(out, axis.Axis())
	return name != "" && slices.ContainsFunc(m.rowsNames(inputs), func(n string) bool { return n == name })
}

// namedElse reports whether an output's first axis has a name. One that is not the rows'
// counts something else, such as what was found.
func (m *Model) namedElse(output int) bool {
	out := m.Outputs[output]
	return len(out.Shape) > 0 && nameOf(out, 0) != ""
}

// rowsNames returns the names of the axes that rows are stacked along.
func (m *Model) rowsNames(inputs []tensor.RowAxis) (all []string) {
	for i, axis := range inputs {
		if in := m.Inputs[i]; axis != tensor.NoRows && axis.Axis() < len(in.Shape) {
			if name := nameOf(in, axis.Axis()); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}
