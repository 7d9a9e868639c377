package tensor

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Element is a Go type that can be the element of a tensor. A string holds one
// BYTES element.
type Element interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		Float16 | BFloat16 | float32 | float64 | string
}

// Value is an output of a model: a *Tensor, a Sequence or a Map.
type Value interface{ value() }

// Named is a value under the model's name for it.
type Named struct {
	Name  string
	Value Value
}

// Sequence is an ONNX sequence.
type Sequence []Value

// Map is an ONNX map: the i-th key belongs to the i-th value. Both are of rank 1.
type Map struct{ Keys, Values *Tensor }

// Tensor is flat row-major data with a shape. Data is a []T whose T belongs to DType.
type Tensor struct {
	DType DType
	Shape []int64
	Data  any
}

func (*Tensor) value()  {}
func (Sequence) value() {}
func (Map) value()      {}

// New returns a tensor over data, which it does not copy. The shape's element count must be len(data).
func New[T Element](shape []int64, data []T) (*Tensor, error) {
	n, err := Count(shape)
	if err != nil {
		return nil, err
	}
	if n != int64(len(data)) {
		return nil, fmt.Errorf("shape %s has %d elements, the data has %d", ShapeString(shape), n, len(data))
	}
	return &Tensor{DType: DTypeOf[T](), Shape: shape, Data: data}, nil
}

// Len returns the number of elements of a tensor whose shape is valid.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= int(d)
	}
	return n
}

// Float returns the i-th element as a number; ok is false for BOOL and BYTES.
// Beyond 2^53 whole numbers are rounded.
func (t *Tensor) Float(i int) (x float64, ok bool) { return dtypes[t.DType].float(t.Data, i) }

// Text returns the i-th element as text; whole numbers are exact.
func (t *Tensor) Text(i int) string { return dtypes[t.DType].text(t.Data, i) }

// Memory returns a view of the data as its bytes in memory; nil for strings.
func (t *Tensor) Memory() []byte {
	if t.DType.Size() == 0 {
		return nil
	}
	return dtypes[t.DType].memory(t.Data)
}

// Over returns the []T of n elements that belongs to d as a view of memory, which
// must have their size, or as a copy where memory is not aligned for them. d must
// have a size.
func Over(d DType, memory []byte, n int) any { return dtypes[d].over(memory, n) }

// Count is the number of elements of a shape: 1 for the empty shape of a
// scalar. It fails on a negative dimension and on an overflow.
func Count(shape []int64) (int64, error) {
	for i, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %s: dimension %d is negative", ShapeString(shape), i)
		}
	}
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	n := int64(1)
	for _, d := range shape {
		if n > math.MaxInt64/d {
			return 0, fmt.Errorf("shape %s: the element count overflows", ShapeString(shape))
		}
		n *= d
	}
	return n, nil
}

// ShapeString formats a shape as the protocols do: [2,3].
func ShapeString(shape []int64) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, d := range shape {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(d, 10))
	}
	b.WriteByte(']')
	return b.String()
}
