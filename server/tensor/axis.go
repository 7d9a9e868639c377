package tensor

import (
	"errors"
	"fmt"
	"slices"
)

// stringHeader is the memory of a string besides its bytes.
const stringHeader = 16

// Concat copies parts into one tensor, one after the other along an axis. They must
// agree in datatype and in every other dimension.
func Concat(parts []*Tensor, axis int) (*Tensor, error) {
	if len(parts) == 0 {
		return nil, errors.New("no tensors to concatenate")
	}
	first := parts[0]
	if axis >= len(first.Shape) {
		return nil, fmt.Errorf("a tensor of shape %s has no axis %d to concatenate along", ShapeString(first.Shape), axis)
	}
	shape := slices.Clone(first.Shape)
	for i, p := range parts[1:] {
		if !Agree(first, p, axis) {
			return nil, fmt.Errorf("tensor %d is %s%s, it must be %s%s but for dimension %d",
				i+1, p.DType, ShapeString(p.Shape), first.DType, ShapeString(first.Shape), axis)
		}
		shape[axis] += p.Shape[axis]
	}
	n, err := Count(shape)
	if err != nil {
		return nil, err
	}
	outer, inner := around(shape, axis)
	if outer == 1 {
		return &Tensor{DType: first.DType, Shape: shape, Data: dtypes[first.DType].concat(parts, int(n))}, nil
	}
	all := &Tensor{DType: first.DType, Shape: shape, Data: Make(first.DType, int(n))}
	at := int64(0)
	for block := range outer {
		for _, p := range parts {
			size := p.Shape[axis] * inner
			all.copy(at, p, block*size, size)
			at += size
		}
	}
	return all, nil
}

// Agree reports whether a and b differ only in the size of an axis, which both must
// have.
func Agree(a, b *Tensor, axis int) bool {
	return a.DType == b.DType && len(a.Shape) == len(b.Shape) && axis < len(a.Shape) &&
		slices.Equal(a.Shape[:axis], b.Shape[:axis]) && slices.Equal(a.Shape[axis+1:], b.Shape[axis+1:])
}

// Slice returns the part of t from up to, but not including, to along an axis: a view
// along the first one, else a copy. Like a slice expression it panics when t has no such
// part.
func (t *Tensor) Slice(axis, from, to int) *Tensor {
	if axis == 0 {
		return t.Rows(from, to)
	}
	outer, inner := around(t.Shape, axis)
	shape := slices.Clone(t.Shape)
	shape[axis] = int64(to - from)
	size := shape[axis] * inner
	part := &Tensor{DType: t.DType, Shape: shape, Data: Make(t.DType, int(outer*size))}
	for block := range outer {
		part.copy(block*size, t, (block*t.Shape[axis]+int64(from))*inner, size)
	}
	return part
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

// ToFront returns t with an axis moved before all others: a view where the order of
// the elements stays, else a copy.
func (t *Tensor) ToFront(axis int) *Tensor {
	shape := slices.Concat(t.Shape[axis:axis+1], t.Shape[:axis], t.Shape[axis+1:])
	outer, inner := around(t.Shape, axis)
	return t.swapped(shape, outer, t.Shape[axis], inner)
}

// FromFront returns t with its first axis moved behind so many others: the inverse of
// ToFront.
func (t *Tensor) FromFront(axis int) *Tensor {
	shape := slices.Concat(t.Shape[1:axis+1], t.Shape[:1], t.Shape[axis+1:])
	outer, inner := around(shape, axis)
	return t.swapped(shape, t.Shape[0], outer, inner)
}

// swapped returns the blocks of inner elements, which t has in a rows of b, in b rows
// of a.
func (t *Tensor) swapped(shape []int64, a, b, inner int64) *Tensor {
	if a <= 1 || b <= 1 || inner == 0 {
		return &Tensor{DType: t.DType, Shape: shape, Data: t.Data}
	}
	swapped := &Tensor{DType: t.DType, Shape: shape, Data: Make(t.DType, int(a*b*inner))}
	for i := range a {
		for j := range b {
			swapped.copy((j*a+i)*inner, t, (i*b+j)*inner, inner)
		}
	}
	return swapped
}

// around returns how many blocks there are along the axes before axis, and how many
// elements each step along it has.
func around(shape []int64, axis int) (outer, inner int64) {
	outer, inner = 1, 1
	for _, d := range shape[:axis] {
		outer *= d
	}
	for _, d := range shape[axis+1:] {
		inner *= d
	}
	return outer, inner
}

// copy copies n elements of from, which has t's type, into t.
func (t *Tensor) copy(to int64, from *Tensor, at, n int64) {
	dtypes[t.DType].copy(t.Data, to, from.Data, at, n)
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
