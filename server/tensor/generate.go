package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Generator generates inputs for a model that has no inputs of its own.
type Generator struct {
	// Random is the source of the values; nil generates zeros, false and empty strings.
	Random *rand.Rand
	// Amplitude bounds random floats, which are from -Amplitude to Amplitude. 0 means
	// from 0 up to 1.
	Amplitude float64
	// Integers bounds random integers, which are from 0 up to, but not including,
	// it: an index or a token of the model must exist. 0 means 2. No type gets more than
	// it holds.
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
		if g.Integers < 1 {
			g.Integers = 2
		}
		g.Integers = min(g.Integers, d.integers())
		dtypes[d].fill(t.Data, g)
	}
	return t, nil
}

// integers returns how many integers from 0 on a type holds, as far as it is a small one.
func (d DType) integers() int64 {
	switch d {
	case Int8:
		return 1 << 7
	case Uint8:
		return 1 << 8
	case Int16:
		return 1 << 15
	case Uint16:
		return 1 << 16
	}
	return math.MaxInt32
}

// Shuffled returns a tensor with the elements of t in another order.
func (t *Tensor) Shuffled(r *rand.Rand) *Tensor {
	return &Tensor{DType: t.DType, Shape: t.Shape, Data: dtypes[t.DType].shuffled(t.Data, r)}
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
