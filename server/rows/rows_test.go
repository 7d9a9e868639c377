package rows_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/golden"
	"slipway/server/rows"
	"slipway/server/tensor"
)

const no = tensor.NoRows

func at(axis int) tensor.RowAxis { return tensor.RowsAt(axis) }

func axes(all ...tensor.RowAxis) []tensor.RowAxis { return all }

func spec(name string, shape []int64, dims ...string) tensor.Spec {
	return tensor.Spec{Name: name, DType: tensor.FP32, Shape: shape, Dims: dims}
}

// sums returns one number for each row of x, which has them along that axis.
func sums(axis int, each func(sum float32) float32) func(context.Context, []*tensor.Tensor) ([]tensor.Named, error) {
	return func(_ context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
		x := inputs[0].ToFront(axis)
		out := make([]float32, x.Shape[0])
		for r := range out {
			for i := range x.Rows(r, r+1).Len() {
				v, _ := x.Rows(r, r+1).Float(i)
				out[r] += float32(v)
			}
			out[r] = each(out[r])
		}
		return []tensor.Named{{Name: "y", Value: &tensor.Tensor{DType: tensor.FP32, Shape: []int64{int64(len(out))}, Data: out}}}, nil
	}
}

func same(sum float32) float32 { return sum }

func refuse(context.Context, []*tensor.Tensor) ([]tensor.Named, error) {
	return nil, errors.New("not these values")
}

func TestLearn(t *testing.T) {
	y := spec("y", []int64{-1})
	for name, test := range map[string]struct {
		model           rows.Model
		inputs, outputs []tensor.RowAxis
	}{
		"the first axis": {rows.Model{Inputs: []tensor.Spec{spec("x", []int64{-1, 4})}, Outputs: []tensor.Spec{y}, Run: sums(0, same)}, axes(at(0)), axes(at(0))},
		"behind the time, by name": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, -1, 2}, "time", "batch", "")}, Outputs: []tensor.Spec{y}, Run: sums(1, same),
		}, axes(at(1)), axes(at(0))},
		"behind the time, by its results": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, -1, 2})}, Outputs: []tensor.Spec{y}, Run: sums(1, same),
		}, axes(at(1)), axes(at(0))},
		"a model that takes no value, by name": {rows.Model{
			Inputs:  []tensor.Spec{spec("x", []int64{-1, -1, 2}, "time", "batch", "")},
			Outputs: []tensor.Spec{spec("y", []int64{-1, -1, 3}, "time", "batch", ""), spec("z", []int64{-1})}, Run: refuse,
		}, axes(at(1)), axes(at(1), 0)},
		"a model that takes no value, without names": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, 4}), spec("h", []int64{2, -1})}, Outputs: []tensor.Spec{y}, Run: refuse,
		}, axes(0, no), axes(0)},
		"names that say nothing": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, -1}, "None", "None")}, Outputs: []tensor.Spec{spec("y", []int64{-1}, "None")}, Run: refuse,
		}, axes(0), axes(0)},
		"a scalar beside rows": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, 4}), spec("limit", nil)}, Outputs: []tensor.Spec{y}, Run: refuse,
		}, axes(at(0), no), axes(0)},
		"a fixed shape beside rows": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, 4}), spec("limits", []int64{3})}, Outputs: []tensor.Spec{y}, Run: refuse,
		}, axes(at(0), no), axes(0)},
		"one image of any size": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{1, 3, -1, -1})}, Outputs: []tensor.Spec{y}, Run: refuse,
		}, axes(at(0)), axes(0)},
		"values of a golden request only": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, 2})}, Outputs: []tensor.Spec{y}, OnlyGiven: true, Run: onlyOf(1, 2, sums(0, same)),
			Golden: []rows.Example{{Inputs: []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{1, 2}, Data: []float32{1, 2}}}, Tolerance: golden.DefaultTolerance}},
		}, axes(at(0)), axes(at(0))},
		"rows that depend on each other a little": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{-1, 4})}, Outputs: []tensor.Spec{y},
			Run: func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
				return sums(0, func(sum float32) float32 { return sum * (1 + 0.01*float32(inputs[0].Shape[0])) })(ctx, inputs)
			},
		}, axes(at(0)), axes(at(0))},
		"as many as there are rows, under another name": {rows.Model{
			Inputs:  []tensor.Spec{spec("x", []int64{-1, 4}, "batch", "")},
			Outputs: []tensor.Spec{spec("y", []int64{-1}, "found"), spec("z", []int64{-1}), spec("batch", []int64{-1}, "batch")}, Run: countsRows,
		}, axes(at(0)), axes(no, at(0), at(0))},
		"a fixed number of rows, and as many columns of one number": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{2, 4})}, Outputs: []tensor.Spec{spec("y", []int64{2, 2})}, Run: zeros(2, 2),
		}, axes(at(0)), axes(0)},
		"a fixed number of columns, and golden rows that are equal": {rows.Model{
			Inputs: []tensor.Spec{spec("x", []int64{2, 2})}, Outputs: []tensor.Spec{spec("y", []int64{2})}, Run: sums(1, same),
			Golden: []rows.Example{{Inputs: []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{2, 2}, Data: make([]float32, 4)}}, Tolerance: golden.DefaultTolerance}},
		}, axes(at(0)), axes(no)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rows.Learn(t.Context(), test.model)
			if test.inputs[0] == 0 {
				require.EqualError(t, err, "not these values")
			} else if name != "a model that takes no value, by name" {
				require.NoError(t, err)
			}
			assert.Equal(t, test.inputs, got.Inputs, "inputs")
			assert.Equal(t, test.outputs, got.Outputs, "outputs")
		})
	}
}

// countsRows returns three outputs that number the rows.
func countsRows(_ context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
	numbers := make([]float32, inputs[0].Shape[0])
	for r := range numbers {
		numbers[r] = float32(r + 1)
	}
	value := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{int64(len(numbers))}, Data: numbers}
	return []tensor.Named{{Name: "y", Value: value}, {Name: "z", Value: value}, {Name: "batch", Value: value}}, nil
}

// zeros returns nothing but zeros.
func zeros(shape ...int64) func(context.Context, []*tensor.Tensor) ([]tensor.Named, error) {
	return func(context.Context, []*tensor.Tensor) ([]tensor.Named, error) {
		value, err := tensor.Generator{}.Tensor(tensor.FP32, shape)
		return []tensor.Named{{Name: "y", Value: value}}, err
	}
}

// onlyOf refuses inputs of other numbers than two.
func onlyOf(a, b float32, run func(context.Context, []*tensor.Tensor) ([]tensor.Named, error)) func(context.Context, []*tensor.Tensor) ([]tensor.Named, error) {
	return func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
		for _, x := range inputs[0].Data.([]float32) {
			if x != a && x != b {
				return nil, errors.New("not these values")
			}
		}
		return run(ctx, inputs)
	}
}

// The integers reach as far as the model takes them, for each input by itself.
func TestIntegersReachAsFarAsTheModelTakesThem(t *testing.T) {
	largest := map[string]float64{}
	specs := []tensor.Spec{
		{Name: "ids", DType: tensor.Int64, Shape: []int64{-1, -1}}, {Name: "types", DType: tensor.Int64, Shape: []int64{-1, -1}},
		{Name: "attention_mask", DType: tensor.Int64, Shape: []int64{-1, -1}}, {Name: "size", DType: tensor.Int64, Shape: []int64{-1, 2}},
	}
	lengths := map[int64]bool{}
	m := rows.Model{Inputs: specs, Outputs: []tensor.Spec{spec("y", []int64{-1})}, Run: func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
		for i, limit := range []float64{30000, 2, 2, 100} {
			for j := range inputs[i].Len() {
				x, _ := inputs[i].Float(j)
				if x >= limit {
					return nil, errors.New("no such token")
				}
				largest[specs[i].Name] = max(largest[specs[i].Name], x)
			}
		}
		lengths[inputs[0].Shape[1]] = true
		return sums(0, same)(ctx, inputs)
	}}
	learned, err := rows.Learn(t.Context(), m)
	require.NoError(t, err)
	_, err = rows.Verify(t.Context(), m, learned, 8)
	require.NoError(t, err)
	assert.Greater(t, largest["ids"], 20000.0)
	assert.Equal(t, 1.0, largest["types"])
	assert.Equal(t, 1.0, largest["attention_mask"])
	assert.Equal(t, map[int64]bool{11: true, 16: true}, lengths)
}

// The proof is bounded in time and in memory, and says what it has left out.
func TestProofIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		width  int64
		run    time.Duration // of each row
		size   int
		bounds string
	}{
		"small and fast": {4, 0, 256, ""},
		"large rows":     {1 << 18, 0, 63, "its inputs and outputs would have more than 64 MiB"},
		"vast rows":      {6 << 20, 0, 2, "more than 64 MiB"},
		"slow rows":      {4, 100 * time.Millisecond, 15, "it would take more than 2s"},
		"slower rows":    {4, 10 * time.Second, 2, "it would take more than 2s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			most := int64(0)
			m := rows.Model{
				Inputs: []tensor.Spec{spec("x", []int64{-1, test.width})}, Outputs: []tensor.Spec{spec("y", []int64{-1})},
				Run: func(_ context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
					n := inputs[0].Shape[0]
					most = max(most, n)
					time.Sleep(time.Duration(n) * test.run)
					first := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{n}, Data: make([]float32, n)}
					for r := range n {
						x, _ := inputs[0].Float(int(r * test.width))
						first.Data.([]float32)[r] = float32(x)
					}
					return []tensor.Named{{Name: "y", Value: first}}, nil
				},
			}
			proof, err := rows.Verify(t.Context(), m, rows.Axes{Inputs: axes(at(0)), Outputs: axes(at(0))}, 256)
			require.NoError(t, err, name)
			assert.Equal(t, test.size, proof.Size, name)
			assert.EqualValues(t, test.size, most, name)
			if test.bounds == "" {
				assert.Empty(t, proof.Bounds, name)
			} else {
				assert.Contains(t, proof.Bounds, test.bounds, name)
			}
		})
	}
}

func TestUnstackLeavesNoDoubt(t *testing.T) {
	of := func(shape ...int64) *tensor.Tensor {
		n, _ := tensor.Count(shape)
		return &tensor.Tensor{DType: tensor.FP32, Shape: shape, Data: make([]float32, n)}
	}
	for name, test := range map[string]struct {
		spec    tensor.Spec
		value   tensor.Value
		count   int
		refused string
	}{
		"shown":                          {tensor.Spec{Name: "y", Shape: []int64{-1, -1}, Rows: at(0)}, of(3, 3), 3, ""},
		"shown elsewhere":                {tensor.Spec{Name: "y", Shape: []int64{-1, -1}, Rows: at(1)}, of(2, 3), 3, ""},
		"another number than shown":      {tensor.Spec{Name: "y", Shape: []int64{-1, -1}, Rows: at(1)}, of(3, 2), 3, "has shape [3,2], which is not one row for each of the 3 instances: send columns"},
		"not shown, and a plain model":   {tensor.Spec{Name: "y", Shape: []int64{-1, 3}}, of(3, 3), 3, ""},
		"not shown, and a vector":        {tensor.Spec{Name: "y", Shape: []int64{-1}}, of(3), 3, ""},
		"not shown, two are as long":     {tensor.Spec{Name: "y", Shape: []int64{-1, -1}}, of(3, 3), 3, "no run at load has shown which axis has their rows"},
		"not shown, one is as long":      {tensor.Spec{Name: "y", Shape: []int64{-1, -1}}, of(3, 4), 3, ""},
		"not shown, fixed":               {tensor.Spec{Name: "y", Shape: []int64{3, 4}}, of(3, 4), 3, "no run at load has shown"},
		"not shown, one instance":        {tensor.Spec{Name: "y", Shape: []int64{1, 4}}, of(1, 4), 1, ""},
		"not shown, of targets":          {tensor.Spec{Name: "y", Kind: tensor.KindSequence}, tensor.Sequence{of(2, 1), of(2, 1)}, 2, "is a sequence of 2 for 2 instances, and no run"},
		"not shown, of one for each":     {tensor.Spec{Name: "y", Kind: tensor.KindSequence}, tensor.Sequence{of(3), of(3)}, 2, ""},
		"a map":                          {tensor.Spec{Name: "y", Kind: tensor.KindMap, Rows: no}, tensor.Map{}, 1, "has no axis for rows"},
		"none, and one instance":         {tensor.Spec{Name: "y", Shape: []int64{1, 4}, Rows: no}, of(1, 4), 1, ""},
		"none, and as many":              {tensor.Spec{Name: "y", Shape: []int64{3}, Rows: no}, of(3, 4), 2, "has no axis for rows: send columns"},
		"not shown, and of no such axis": {tensor.Spec{Name: "y"}, of(), 1, "has shape []"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rows.Unstack([]tensor.Spec{test.spec}, []tensor.Named{{Name: "y", Value: test.value}}, test.count)
			if test.refused != "" {
				require.ErrorContains(t, err, test.refused)
				assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
				return
			}
			require.NoError(t, err)
			n, ok := tensor.RowsOf(got[0].Value, 0)
			assert.True(t, ok)
			assert.Equal(t, test.count, n)
		})
	}
}

// What has no rows because it always is the same ends the search as well.
func TestLearnEndsWhenAllIsKnown(t *testing.T) {
	runs := 0
	m := rows.Model{
		Inputs:  []tensor.Spec{spec("x", []int64{-1, -1}), spec("z", []int64{-1, -1})},
		Outputs: []tensor.Spec{spec("y", []int64{-1}), spec("labels", []int64{3})},
		Run: func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
			runs++
			y, err := sums(0, same)(ctx, inputs)
			return append(y, tensor.Named{Name: "labels", Value: &tensor.Tensor{DType: tensor.FP32, Shape: []int64{3}, Data: []float32{1, 2, 3}}}), err
		},
	}
	got, err := rows.Learn(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, rows.Axes{Inputs: axes(at(0), at(0)), Outputs: axes(at(0), no)}, got)
	assert.Equal(t, 5, runs, "three rows by themselves, two and three of them together")
}

// Of a slow recurrent network, for which there is no time to try another axis than that
// of the steps, no step is taken for a row.
func TestStepsAreNoRows(t *testing.T) {
	for takes, want := range map[time.Duration][]tensor.RowAxis{0: axes(at(1)), time.Second: axes(no)} {
		synctest.Test(t, func(t *testing.T) {
			m := rows.Model{
				Inputs: []tensor.Spec{spec("x", []int64{-1, -1, 2})}, Outputs: []tensor.Spec{spec("y", []int64{-1, -1, 2})},
				Run: func(_ context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
					time.Sleep(takes)
					x := inputs[0]
					y := &tensor.Tensor{DType: tensor.FP32, Shape: x.Shape, Data: slices.Clone(x.Data.([]float32))}
					step := int(x.Shape[1] * x.Shape[2])
					for i, sums := step, y.Data.([]float32); i < len(sums); i++ {
						sums[i] += sums[i-step]
					}
					return []tensor.Named{{Name: "y", Value: y}}, nil
				},
			}
			got, err := rows.Learn(t.Context(), m)
			require.NoError(t, err)
			assert.Equal(t, want, got.Outputs, takes)
		})
	}
}

// A model whose runs take long, or that takes nothing, is not tried for ever.
func TestLearnIsBounded(t *testing.T) {
	for _, run := range []struct {
		takes time.Duration
		err   error
		most  time.Duration
	}{{3 * time.Second, nil, 12 * time.Second}, {30 * time.Second, nil, 11 * time.Second}, {400 * time.Millisecond, errors.New("no"), 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			m := rows.Model{
				Inputs: []tensor.Spec{spec("x", []int64{-1, -1}), spec("z", []int64{-1, -1})}, Outputs: []tensor.Spec{spec("y", []int64{-1})},
				Run: func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
					select {
					case <-ctx.Done():
						return nil, ctx.Err()
					case <-time.After(run.takes):
					}
					if run.err != nil {
						return nil, run.err
					}
					return sums(0, same)(ctx, inputs)
				},
			}
			began := time.Now()
			got, err := rows.Learn(t.Context(), m)
			assert.LessOrEqual(t, time.Since(began), run.most)
			if run.takes < 10*time.Second && run.err == nil {
				require.NoError(t, err)
				assert.Equal(t, axes(at(0)), got.Outputs, "two rows and a batch of two are enough")
				return
			}
			require.Error(t, err)
			assert.Equal(t, axes(0), got.Outputs)
		})
	}
}
