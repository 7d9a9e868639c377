package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"slipway/server/tensor"
)

// Synthetic says how to make a question up from a model's metadata.
type Synthetic struct {
	Shapes map[string][]int64 // by input, for the dimensions that the metadata leaves open
	Batch  int64              // the open first dimension; 0 is 1
	Zeros  bool               // else random data
	Seed   uint64             // the same seed makes the same question
}

// Question fills every input that a model says it has.
func (s Synthetic) Question(specs []tensor.Spec) (*Question, error) {
	known := map[string]bool{}
	for _, spec := range specs {
		known[spec.Name] = true
	}
	for name := range s.Shapes {
		if !known[name] {
			return nil, fmt.Errorf("the model has no input %q to give a shape to, only %s", name, strings.Join(names(specs), ", "))
		}
	}
	r := rand.New(rand.NewPCG(s.Seed, 0))
	q := &Question{}
	for _, spec := range specs {
		shape, err := s.shape(spec)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", spec.Name, err)
		}
		count, err := tensor.Count(shape)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", spec.Name, err)
		}
		t := &tensor.Tensor{DType: spec.DType, Shape: shape, Data: tensor.Make(spec.DType, int(count))}
		if !s.Zeros {
			randomize(t.Data, r)
		}
		q.Inputs = append(q.Inputs, tensor.Named{Name: spec.Name, Value: t})
	}
	return q, nil
}

// shape is the metadata's with its open dimensions closed: as told, else 1.
func (s Synthetic) shape(spec tensor.Spec) ([]int64, error) {
	shape := append([]int64{}, spec.Shape...)
	if told, ok := s.Shapes[spec.Name]; ok {
		if len(shape) > 0 && len(told) != len(shape) {
			return nil, fmt.Errorf("shape %s is not of rank %d as the model's %s",
				tensor.ShapeString(told), len(shape), tensor.ShapeString(shape))
		}
		return told, nil
	}
	for i, d := range shape {
		switch {
		case d >= 0:
		case i == 0:
			shape[i] = max(s.Batch, 1)
		default:
			shape[i] = 1
		}
	}
	return shape, nil
}

// randomize draws floats from [0,1) with seven digits, as people send them,
// and integers below 100, which are valid tokens and categories of most models.
func randomize(data any, r *rand.Rand) {
	float := func() float32 { return float32(r.IntN(1e7)) / 1e7 }
	switch d := data.(type) {
	case []bool:
		fill(d, func() bool { return r.IntN(2) == 1 })
	case []string:
		fill(d, func() string { return fmt.Sprintf("text %d", r.IntN(100)) })
	case []tensor.Float16:
		fill(d, func() tensor.Float16 { return tensor.ToFloat16(float()) })
	case []tensor.BFloat16:
		fill(d, func() tensor.BFloat16 { return tensor.ToBFloat16(float()) })
	case []float32:
		fill(d, float)
	case []float64:
		fill(d, func() float64 { return float64(r.IntN(1e7)) / 1e7 })
	case []int8:
		fill(d, small[int8](r))
	case []int16:
		fill(d, small[int16](r))
	case []int32:
		fill(d, small[int32](r))
	case []int64:
		fill(d, small[int64](r))
	case []uint8:
		fill(d, small[uint8](r))
	case []uint16:
		fill(d, small[uint16](r))
	case []uint32:
		fill(d, small[uint32](r))
	case []uint64:
		fill(d, small[uint64](r))
	}
}

func fill[T any](all []T, draw func() T) {
	for i := range all {
		all[i] = draw()
	}
}

func small[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](r *rand.Rand) func() T {
	return func() T { return T(r.IntN(100)) }
}

func names(specs []tensor.Spec) []string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = s.Name
	}
	return all
}
