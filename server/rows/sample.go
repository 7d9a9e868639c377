package rows

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"slipway/server/golden"
	"slipway/server/tensor"
)

// lengths are tried for open axes that have no rows, and enough of them are used. Longer
// ones than one or two show what depends on the length, as a recurrent network does. A
// model that takes neither of the first two may take one of the others.
var lengths = []int64{11, 16, 32, 64, 224, 1}

const enough = 2

// integers bound random integers, rising: the largest that the model takes reaches most
// of a table of tokens.
var integers = []int64{64, 1024, 30000}

// loud is the amplitude of one of the random rows. What takes a scale from the whole
// batch, as dynamic quantization does, shows it beside a quiet row.
const loud = 4

const (
	randomRows = 3
	goldenRows = 8
)

// sample are rows that a model takes one by one, each with the inputs that belong to all
// of them, and its responses.
type sample struct {
	rows      [][]*tensor.Tensor
	single    [][]tensor.Named
	tolerance golden.Tolerance
}

// sampler makes samples for one way of stacking rows.
type sampler struct {
	model *Model
	axes  []tensor.RowAxis
	until time.Time // when no run begins that can be left out
	err   error     // why the last rows were not taken
}

func (s *sampler) spent() bool { return !time.Now().Before(s.until) }

// all yields the samples: of golden requests, then random ones of given shapes, then of
// made-up shapes.
func (s *sampler) all(ctx context.Context) iter.Seq[*sample] {
	return func(yield func(*sample) bool) {
		if found := s.golden(ctx); found != nil && !yield(found) {
			return
		}
		for _, given := range s.model.Shapes {
			if found := s.random(ctx, s.shapesLike(given)); found != nil && !yield(found) {
				return
			}
		}
		if s.model.OnlyGiven {
			return
		}
		for i, found := 0, 0; i < len(lengths) && found < enough && (i < enough || found == 0) && ctx.Err() == nil; i++ {
			next := s.random(ctx, s.shapes(lengths[i]))
			if next != nil {
				found++
				if !yield(next) {
					return
				}
			}
			if !s.hasLength() || s.spent() {
				return
			}
		}
	}
}

// golden returns rows of the golden requests that have the shapes of the first one, and
// where they are few, rows with the first one's values in another order.
func (s *sampler) golden(ctx context.Context) *sample {
	var rows [][]*tensor.Tensor
	tolerance := golden.DefaultTolerance
	for _, example := range s.model.Golden {
		for _, row := range s.split(example.Inputs) {
			if len(rows) == goldenRows || len(rows) > 0 && !sameShapes(row, rows[0]) {
				break
			}
			rows, tolerance = append(rows, row), example.Tolerance
		}
	}
	found := s.try(ctx, rows, tolerance)
	if found == nil {
		return nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	for len(found.rows) < randomRows && !s.spent() {
		row := slices.Clone(rows[0])
		for i, axis := range s.axes {
			if axis != tensor.NoRows {
				row[i] = row[i].Shuffled(random)
			}
		}
		more := s.try(ctx, [][]*tensor.Tensor{row}, tolerance)
		if more == nil {
			break
		}
		found.rows, found.single = append(found.rows, row), append(found.single, more.single[0])
	}
	return found
}

// random returns random rows of these shapes, of the widest integers that the model
// takes; nil if it takes none.
func (s *sampler) random(ctx context.Context, shapes [][]int64) *sample {
	bounds, amplitude := make([]int64, len(shapes)), float64(loud)
	widest := s.try(ctx, s.make(shapes, bounds, amplitude), golden.DefaultTolerance)
	if widest == nil && !s.spent() {
		amplitude = 0
		widest = s.try(ctx, s.make(shapes, bounds, amplitude), golden.DefaultTolerance)
	}
	for i, in := range s.model.Inputs {
		for _, bound := range integers {
			if widest == nil || !widens(in) || s.spent() {
				break
			}
			before := bounds[i]
			bounds[i] = bound
			next := s.try(ctx, s.make(shapes, bounds, amplitude), golden.DefaultTolerance)
			if next == nil {
				bounds[i] = before
				break
			}
			widest = next
		}
	}
	return widest
}

// make makes random rows with integers below the bounds, one of the rows with that
// amplitude. What belongs to all rows has the same values in each.
func (s *sampler) make(shapes [][]int64, bounds []int64, amplitude float64) [][]*tensor.Tensor {
	rows := make([][]*tensor.Tensor, randomRows)
	for r := range rows {
		row := make([]*tensor.Tensor, len(s.model.Inputs))
		for i, in := range s.model.Inputs {
			if r > 0 && s.axes[i] == tensor.NoRows {
				row[i] = rows[0][i]
				continue
			}
			g := tensor.Generator{Random: rand.New(rand.NewPCG(uint64(r), uint64(i))), Integers: bounds[i]}
			if r == 1 {
				g.Amplitude = amplitude
			}
			made, err := g.Tensor(in.DType, shapes[i])
			if err != nil {
				s.err = err
				return nil
			}
			if made.Bytes() > proofMemory/randomRows && s.hasLength() { // of a length that the model did not ask for
				return nil
			}
			row[i] = made
		}
		rows[r] = row
	}
	return rows
}

// try runs each of the rows; nil if there is none or the model refuses one.
func (s *sampler) try(ctx context.Context, rows [][]*tensor.Tensor, t golden.Tolerance) *sample {
	found := &sample{tolerance: t}
	for r, row := range rows {
		if r > 1 && s.spent() {
			break
		}
		response, err := s.model.Run(ctx, row)
		if err != nil {
			s.err = err
			return nil
		}
		found.rows, found.single = append(found.rows, row), append(found.single, response)
	}
	if len(found.rows) == 0 {
		return nil
	}
	return found
}

// stack returns a batch of so many of the rows, which take turns.
func (s *sampler) stack(rows [][]*tensor.Tensor, size int) ([]*tensor.Tensor, error) {
	stacked := slices.Clone(rows[0])
	parts := make([]*tensor.Tensor, size)
	for i, axis := range s.axes {
		if axis == tensor.NoRows {
			continue
		}
		for r := range parts {
			parts[r] = rows[r%len(rows)][i]
		}
		var err error
		if stacked[i], err = tensor.Concat(parts, axis.Axis()); err != nil {
			return nil, err
		}
	}
	return stacked, nil
}
