package rows

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"slipway/server/golden"
	"slipway/server/tensor"
)

const (
	// learnTime is after how long no further run begins to learn from. A model whose runs
	// take longer is judged by fewer of them.
	learnTime = 2 * time.Second
	// runTime bounds one run.
	runTime = 10 * time.Second
)

// How sure it is that an output's parts along an axis are the rows.
const (
	none    = iota
	follows // it is as long as there are rows
	near    // and its parts are nearly what the rows give by themselves: dynamic quantization
	equal   // and they are just that
)

// ByNames returns what names tell of where a model's rows are, without a run.
func ByNames(m Model) Axes {
	m = m.ranked()
	if _, fixed := fixedRows(m.Inputs); fixed {
		return fixedAxes(&m)
	}
	ways := candidates(m.Inputs)
	if len(ways) == 0 {
		return unlearned(&m, slices.Repeat([]tensor.RowAxis{tensor.NoRows}, len(m.Inputs)))
	}
	a := unlearned(&m, ways[0])
	if slices.ContainsFunc(m.Inputs, neverRows) { // then none are served, wherever the others have them
		a.Inputs = ways[0]
	}
	return a
}

// Learn runs the model and returns where its rows are. What no run has shown is told by
// names, or left unknown; the error is why the model took no rows at all.
func Learn(ctx context.Context, m Model) (Axes, error) {
	m = m.bounded().ranked()
	told := ByNames(m)
	if size, fixed := fixedRows(m.Inputs); fixed {
		return learnFixed(ctx, &m, told, size)
	}
	if slices.ContainsFunc(m.Inputs, neverRows) {
		return told, nil
	}
	l := learner{Model: &m, until: time.Now().Add(learnTime)}
	for _, way := range candidates(m.Inputs) {
		if l.try(ctx, way); l.sure || ctx.Err() != nil || len(l.best.Inputs) > 0 && l.spent() {
			break
		}
	}
	if len(l.best.Inputs) == 0 {
		return told, l.err
	}
	return l.best, nil
}

// bounded returns m with a bound on the time of each run.
func (m Model) bounded() Model {
	run := m.Run
	m.Run = func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
		ctx, cancel := context.WithTimeout(ctx, runTime)
		defer cancel()
		return run(ctx, inputs)
	}
	return m
}

// ranked returns m with scalars that may be of any rank if it has no other inputs: the
// runtime takes as many of them as come, and most models too.
func (m Model) ranked() Model {
	if slices.ContainsFunc(m.Inputs, func(s tensor.Spec) bool { return len(s.Shape) > 0 }) {
		return m
	}
	m.Inputs = slices.Clone(m.Inputs)
	for i := range m.Inputs {
		m.Inputs[i].Unranked = true
	}
	return m
}

// neverRows reports whether an input has no axis that rows could be stacked along.
func neverRows(s tensor.Spec) bool { return len(openAxes(s)) == 0 }

type learner struct {
	*Model
	until  time.Time
	best   Axes
	points int
	sure   bool // each output has rows that equal those of single runs, or stays the same
	err    error
}

func (l *learner) spent() bool { return !time.Now().Before(l.until) }

// try runs the model with rows stacked in one way, and keeps what it shows if that is
// more than the ways before have shown.
func (l *learner) try(ctx context.Context, way []tensor.RowAxis) {
	s := &sampler{model: l.Model, axes: way, until: l.until}
	for found := range s.all(ctx) {
		outputs, points, sure, err := l.judge(ctx, s, found)
		if err != nil {
			l.err = err
			return
		}
		points *= len(way) + 1
		for _, axis := range way {
			if axis != tensor.NoRows {
				points++ // of two ways that show as much, the one with more inputs
			}
		}
		if points > l.points || len(l.best.Inputs) == 0 {
			l.best, l.points, l.sure = Axes{Inputs: way, Outputs: outputs}, points, sure
		}
		return
	}
	l.err = s.err
}

// judge compares batches of two and three rows with the rows by themselves.
func (l *learner) judge(ctx context.Context, s *sampler, found *sample) (axes []tensor.RowAxis, points int, sure bool, err error) {
	grades, stays := slices.Repeat([]int{equal}, len(l.Outputs)), slices.Repeat([]bool{true}, len(l.Outputs))
	axes = make([]tensor.RowAxis, len(l.Outputs))
	for size := 2; size <= 3; size++ {
		if size > 2 && l.spent() {
			break
		}
		inputs, err := s.stack(found.rows, size)
		if err != nil {
			return nil, 0, false, err
		}
		response, err := l.Run(ctx, inputs)
		if err != nil {
			return nil, 0, false, err
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
		if grades[i] == follows && axis != tensor.RowsAt(0) && !l.named(s.axes, i, axis) {
			grades[i] = none // indices, say: as many as there are rows, and no row's own
		}
		if grades[i] == none {
			axes[i] = tensor.NoRows
		}
		points += grades[i]
	}
	return axes, points, sure, nil
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

// unlearned returns what names tell of a model that has shown nothing.
func unlearned(m *Model, way []tensor.RowAxis) Axes {
	a := Axes{Inputs: slices.Clone(way), Outputs: make([]tensor.RowAxis, len(m.Outputs))}
	shared := m.rowsNames(way)
	for o, out := range m.Outputs {
		for _, name := range shared {
			a.Outputs[o] = cmp.Or(a.Outputs[o], max(0, axisNamed(out, name)))
		}
	}
	for i, axis := range way {
		in := m.Inputs[i]
		switch {
		case axis == tensor.RowsAt(0):
			a.Inputs[i] = 0
		case axis != tensor.NoRows && nameOf(in, axis.Axis()) == "":
			a.Inputs[i] = tensor.NoRows // a guess
		}
	}
	return a
}
