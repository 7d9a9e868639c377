package rows

import (
	"cmp"
	"context"
	"slices"
	"time"

	"slipway/server/tensor"
)

const (
	// learnTime is after how long no further run begins to learn from. A model whose runs
	// take longer is judged by fewer of them.
	learnTime = 2 * time.Second
	// runTime bounds one run.
	runTime = 10 * time.Second
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
	ways := candidates(m.Inputs)
	for i, way := range ways {
		if l.try(ctx, way); l.sure || ctx.Err() != nil {
			break
		}
		if l.spent() && i < len(ways)-1 {
			l.doubt()
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
	grades []int // of the outputs of best
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
		outputs, grades, sure, err := l.judge(ctx, s, found)
		if err != nil {
			l.err = err
			return
		}
		points := 0
		for _, grade := range grades {
			points += grade
		}
		points *= len(way) + 1
		for _, axis := range way {
			if axis != tensor.NoRows {
				points++ // of two ways that show as much, the one with more inputs
			}
		}
		if points > l.points || len(l.best.Inputs) == 0 {
			l.best, l.grades, l.points, l.sure = Axes{Inputs: way, Outputs: outputs}, grades, points, sure
		}
		return
	}
	l.err = s.err
}

// doubt takes the rows from the outputs that are no more than as long as there are rows,
// since another way, for which there was no time, may show whose they are: a recurrent
// network takes steps for rows, but no step's result is its own.
func (l *learner) doubt() {
	for i, grade := range l.grades {
		if grade == follows && !l.named(l.best.Inputs, i, l.best.Outputs[i]) {
			l.best.Outputs[i] = tensor.NoRows
		}
	}
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
