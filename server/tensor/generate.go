package tensor

import (
	"fmt"
	"math/rand/v2"
)

// Generator generates inputs for a model that has no inputs of its own.
type Generator struct {
	// Random is the source of the values; nil generates zeros, false and empty strings.
	// Floats are from 0 up to 1.
	Random *rand.Rand
	// Integers bounds random integers, which are from 0 up to, but not including,
	// it: an index or a token of the model must exist. 0 means 2.
	Integers int64
}

// Tensor generates a tensor of that type and shape.
func (g Generator) Tensor(d DType, shape []int64) (*Tensor, error) {
	n, err := Count(shape)
	if err != nil {
		return nil, err
	}
	if d == Invalid {
		return nil, fmt.Errorf("no values of the type %s", d)
	}
	t := &Tensor{DType: d, Shape: shape, Data: Make(d, int(n))}
	if g.Random != nil {
		integers := g.Integers
		if integers < 1 {
			integers = 2
		}
		dtypes[d].fill(t.Data, g.Random, integers)
	}
	return t, nil
}

// Closed returns the shape with every open dimension closed: the first one is
// batch, the others are 1.
func (s Spec) Closed(batch int64) []int64 {
	shape := make([]int64, len(s.Shape))
	for i, d := range s.Shape {
		switch {
		case d >= 0:
			shape[i] = d
		case i == 0:
			shape[i] = max(batch, 1)
		default:
			shape[i] = 1
		}
	}
	return shape
}
