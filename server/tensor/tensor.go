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

// Value is what a model answers with: a *Tensor, a Sequence or a Map.
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

// New makes a tensor of data, which it keeps. The shape's element count must be len(data).
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

// DTypeOf is the type that a []T carries.
func DTypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case bool:
		return Bool
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case Float16:
		return FP16
	case BFloat16:
		return BF16
	case float32:
		return FP32
	case float64:
		return FP64
	case string:
		return Bytes
	}
	return Invalid
}

// Make returns zeroed data of n elements as the []T that belongs to d, or nil for Invalid.
func Make(d DType, n int) any {
	switch d {
	case Bool:
		return make([]bool, n)
	case Int8:
		return make([]int8, n)
	case Int16:
		return make([]int16, n)
	case Int32:
		return make([]int32, n)
	case Int64:
		return make([]int64, n)
	case Uint8:
		return make([]uint8, n)
	case Uint16:
		return make([]uint16, n)
	case Uint32:
		return make([]uint32, n)
	case Uint64:
		return make([]uint64, n)
	case FP16:
		return make([]Float16, n)
	case BF16:
		return make([]BFloat16, n)
	case FP32:
		return make([]float32, n)
	case FP64:
		return make([]float64, n)
	case Bytes:
		return make([]string, n)
	}
	return nil
}

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

// ShapeString writes a shape as the wire does: [2,3].
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
