package tensor

import (
	"errors"
	"fmt"
	"slices"
)

// stringHeader is the memory of a string besides its bytes.
const stringHeader = 16

// Concat copies parts into one tensor, one after the other along the first
// axis. They must agree in datatype and in every other dimension.
func Concat(parts []*Tensor) (*Tensor, error) {
	if len(parts) == 0 {
		return nil, errors.New("no tensors to concatenate")
	}
	first := parts[0]
	if len(first.Shape) == 0 {
		return nil, errors.New("a scalar has no first axis to concatenate along")
	}
	shape := slices.Clone(first.Shape)
	for i, p := range parts[1:] {
		if !Agree(first, p) {
			return nil, fmt.Errorf("tensor %d is %s%s, it must be %s%s but for the first dimension",
				i+1, p.DType, ShapeString(p.Shape), first.DType, ShapeString(first.Shape))
		}
		shape[0] += p.Shape[0]
	}
	n, err := Count(shape)
	if err != nil {
		return nil, err
	}
	return &Tensor{DType: first.DType, Shape: shape, Data: dtypes[first.DType].concat(parts, int(n))}, nil
}

// Agree reports whether a and b differ only in the size of the first
// axis, which both must have.
func Agree(a, b *Tensor) bool {
	return a.DType == b.DType && len(a.Shape) > 0 && len(b.Shape) > 0 && slices.Equal(a.Shape[1:], b.Shape[1:])
}

// Rows returns a view of the rows from up to, but not including, to along the first
// axis. Like a slice expression it panics when t has no such rows.
func (t *Tensor) Rows(from, to int) *Tensor {
	size := int64(1)
	for _, d := range t.Shape[1:] {
		size *= d
	}
	shape := slices.Clone(t.Shape)
	shape[0] = int64(to - from)
	return &Tensor{DType: t.DType, Shape: shape, Data: dtypes[t.DType].slice(t.Data, int64(from)*size, int64(to)*size)}
}

// SizeOf returns the memory that a value takes in bytes.
func SizeOf(v Value) (size int64) {
	switch v := v.(type) {
	case *Tensor:
		return v.Bytes()
	case Sequence:
		for _, element := range v {
			size += valueHeader + SizeOf(element)
		}
	case Map:
		return v.Keys.Bytes() + v.Values.Bytes()
	}
	return size
}

// valueHeader is what Go takes for a value beside its data: a Tensor and its shape.
const valueHeader = 128

// Bytes returns the memory that the data takes; a string counts its header too.
func (t *Tensor) Bytes() int64 {
	if all, ok := t.Data.([]string); ok {
		sum := int64(len(all)) * stringHeader
		for _, s := range all {
			sum += int64(len(s))
		}
		return sum
	}
	n, err := Count(t.Shape)
	if err != nil {
		return 0
	}
	return n * int64(t.DType.Size())
}
