package serving

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"slipway/server/golden"
	"slipway/server/modelconfig"
	"slipway/server/tensor"
)

// verifyBatching runs rows one by one and in batches and compares. The error is why
// requests must not be batched. Golden requests are the best rows there are; without
// them it makes random ones of the warm-up's shapes: on zeros, rows that get mixed up
// look the same.
func (v *candidate) verifyBatching(ctx context.Context, cases []golden.Case, warm [][]*tensor.Tensor) error {
	if err := v.batchable(); err != nil {
		return err
	}
	rows, tolerance := v.goldenRows(cases)
	if len(rows) < 2 {
		var err error
		if rows, err = v.randomRows(warm); err != nil {
			return err
		}
	}
	single := make([][]tensor.Named, len(rows))
	for i, row := range rows {
		var err error
		if single[i], err = v.session.Run(ctx, row, nil); err != nil {
			return fmt.Errorf("a run that was to show whether rows keep apart failed: %w; add golden answers or a warmUp that the model takes", err)
		}
	}
	for _, size := range []int{2, v.config.Batching.MaxBatchSize} {
		if err := v.verifySize(ctx, size, rows, single, tolerance); err != nil {
			return err
		}
	}
	return nil
}

// batchable checks that the first axis of every input and output is open.
func (v *candidate) batchable() error {
	for _, s := range v.Inputs {
		if len(s.Shape) == 0 || s.Shape[0] >= 0 {
			return fmt.Errorf("input %q has the fixed shape %s: its first axis takes no batch", s.Name, tensor.ShapeString(s.Shape))
		}
	}
	for _, s := range v.Outputs {
		if s.Kind == tensor.KindTensor && len(s.Shape) > 0 && s.Shape[0] >= 0 {
			return fmt.Errorf("output %q has the fixed shape %s: its first axis takes no batch", s.Name, tensor.ShapeString(s.Shape))
		}
	}
	return nil
}

// goldenRows returns the first rows of the golden requests that have the shapes of
// the first one.
func (v *candidate) goldenRows(cases []golden.Case) (rows [][]*tensor.Tensor, tolerance golden.Tolerance) {
	tolerance = golden.DefaultTolerance
	for _, g := range cases {
		inputs, err := v.order(g.Inputs)
		if err != nil {
			continue // reproduce has reported it
		}
		row := firstRow(inputs)
		if row == nil || len(rows) > 0 && !sameShapes(row, rows[0]) {
			continue
		}
		rows, tolerance = append(rows, row), g.Tolerance
	}
	return rows, tolerance
}

func (v *candidate) randomRows(warm [][]*tensor.Tensor) ([][]*tensor.Tensor, error) {
	random := rand.New(rand.NewPCG(3, 4))
	w := modelconfig.WarmUp{BatchSize: 1, Inputs: map[string]modelconfig.WarmUpInput{}}
	for i, s := range v.Inputs {
		dims := s.Closed(1)[1:]
		if len(warm) > 0 && len(warm[0][i].Shape) == len(s.Shape) {
			dims = warm[0][i].Shape[1:]
		}
		w.Inputs[s.Name] = modelconfig.WarmUpInput{DType: s.DType, Dims: dims, Random: true}
	}
	rows := make([][]*tensor.Tensor, 3)
	for i := range rows {
		var err error
		if rows[i], err = v.makeInputs(w, random); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// verifySize runs a batch of that many rows, which take turns, and compares the
// outputs of each with those of its single run.
func (v *candidate) verifySize(ctx context.Context, size int, rows [][]*tensor.Tensor, single [][]tensor.Named, tolerance golden.Tolerance) error {
	batched := make([]*tensor.Tensor, len(v.Inputs))
	for i := range batched {
		parts := make([]*tensor.Tensor, size)
		for r := range parts {
			parts[r] = rows[r%len(rows)][i]
		}
		var err error
		if batched[i], err = tensor.Concat(parts); err != nil {
			return fmt.Errorf("input %q: %w", v.Inputs[i].Name, err)
		}
	}
	outputs, err := v.session.Run(ctx, batched, nil)
	if err != nil {
		return fmt.Errorf("a batch of %d rows fails: %w", size, err)
	}
	for r := range size {
		got, err := rowOf(outputs, r, size)
		if err != nil {
			return err
		}
		if err := golden.Equal(got, single[r%len(rows)], tolerance); err != nil {
			return fmt.Errorf("row %d of a batch of %d differs from its single run: %w", r, size, err)
		}
	}
	return nil
}

// rowOf returns one row of every output of a batch.
func rowOf(outputs []tensor.Named, row, rows int) ([]tensor.Named, error) {
	one := make([]tensor.Named, len(outputs))
	for i, out := range outputs {
		one[i].Name = out.Name
		switch value := out.Value.(type) {
		case *tensor.Tensor:
			if len(value.Shape) == 0 || value.Shape[0] != int64(rows) {
				return nil, fmt.Errorf("output %q of a batch of %d rows has shape %s", out.Name, rows, tensor.ShapeString(value.Shape))
			}
			one[i].Value = value.Rows(row, row+1)
		case tensor.Sequence:
			if len(value) != rows {
				return nil, fmt.Errorf("output %q of a batch of %d rows is a sequence of %d", out.Name, rows, len(value))
			}
			one[i].Value = value[row : row+1]
		default:
			return nil, errors.New("output " + out.Name + " is a map, which cannot be split into rows")
		}
	}
	return one, nil
}

// firstRow returns the first row of each input, or nil if one has none.
func firstRow(inputs []*tensor.Tensor) []*tensor.Tensor {
	row := make([]*tensor.Tensor, len(inputs))
	for i, t := range inputs {
		if len(t.Shape) == 0 || t.Shape[0] < 1 {
			return nil
		}
		row[i] = t.Rows(0, 1)
	}
	return row
}

func sameShapes(a, b []*tensor.Tensor) bool {
	for i := range a {
		if tensor.ShapeString(a[i].Shape) != tensor.ShapeString(b[i].Shape) {
			return false
		}
	}
	return true
}
