package oip

import (
	"fmt"
	"unsafe"

	"slipway/server/tensor"
)

// FieldOf returns the name of the field of InferTensorContents that carries a data
// type. It is empty for half-precision numbers, which the protocol has in raw
// contents only.
func FieldOf(d tensor.DType) string {
	if c := carrierOf(d); c != nil {
		return c.field()
	}
	return ""
}

// Filled returns the name of a field that has elements, other than except; empty if
// there is none.
func Filled(c *InferTensorContents, except string) string {
	if c == nil {
		return ""
	}
	for _, f := range fields {
		if f.size(c) > 0 && f.field() != except {
			return f.field()
		}
	}
	return ""
}

// FromContents makes a tensor of the one field that carries the data type; another
// field that has elements is an error. The tensor is a view of the message, but for
// types narrower than their field's.
func FromContents(d tensor.DType, shape []int64, c *InferTensorContents) (*tensor.Tensor, error) {
	carrier := carrierOf(d)
	if carrier == nil {
		return nil, fmt.Errorf("%s has no typed contents; send it in raw_input_contents", d)
	}
	if other := Filled(c, carrier.field()); other != "" {
		return nil, fmt.Errorf("%s is given; %s is read from %s", other, d, carrier.field())
	}
	if c == nil {
		c = &InferTensorContents{}
	}
	t, err := carrier.read(shape, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", carrier.field(), err)
	}
	return t, nil
}

// Contents is the inverse of FromContents: nil for a type that has no field, else a
// view of the tensor's memory, but for types narrower than their field's.
func Contents(t *tensor.Tensor) *InferTensorContents {
	carrier := carrierOf(t.DType)
	if carrier == nil {
		return nil
	}
	c := &InferTensorContents{}
	carrier.write(t, c)
	return c
}

// carrier reads and writes one data type.
type carrier interface {
	field() string
	read(shape []int64, c *InferTensorContents) (*tensor.Tensor, error)
	write(t *tensor.Tensor, c *InferTensorContents)
}

// carriers is the one table of which field carries which data type.
var carriers = [...]carrier{
	tensor.Bool:   same[bool]{bools},
	tensor.Int8:   narrow[int8, int32]{int32s},
	tensor.Int16:  narrow[int16, int32]{int32s},
	tensor.Int32:  same[int32]{int32s},
	tensor.Int64:  same[int64]{int64s},
	tensor.Uint8:  narrow[uint8, uint32]{uint32s},
	tensor.Uint16: narrow[uint16, uint32]{uint32s},
	tensor.Uint32: same[uint32]{uint32s},
	tensor.Uint64: same[uint64]{uint64s},
	tensor.FP32:   same[float32]{float32s},
	tensor.FP64:   same[float64]{float64s},
	tensor.Bytes:  text{byteSlices},
}

func carrierOf(d tensor.DType) carrier {
	if int(d) < len(carriers) {
		return carriers[d]
	}
	return nil
}

// list is a repeated field of InferTensorContents.
type list[T any] struct {
	name string
	in   func(*InferTensorContents) *[]T
}

func (l *list[T]) field() string                   { return l.name }
func (l *list[T]) size(c *InferTensorContents) int { return len(*l.in(c)) }

var (
	bools      = &list[bool]{"bool_contents", func(c *InferTensorContents) *[]bool { return &c.BoolContents }}
	int32s     = &list[int32]{"int_contents", func(c *InferTensorContents) *[]int32 { return &c.IntContents }}
	int64s     = &list[int64]{"int64_contents", func(c *InferTensorContents) *[]int64 { return &c.Int64Contents }}
	uint32s    = &list[uint32]{"uint_contents", func(c *InferTensorContents) *[]uint32 { return &c.UintContents }}
	uint64s    = &list[uint64]{"uint64_contents", func(c *InferTensorContents) *[]uint64 { return &c.Uint64Contents }}
	float32s   = &list[float32]{"fp32_contents", func(c *InferTensorContents) *[]float32 { return &c.Fp32Contents }}
	float64s   = &list[float64]{"fp64_contents", func(c *InferTensorContents) *[]float64 { return &c.Fp64Contents }}
	byteSlices = &list[[]byte]{"bytes_contents", func(c *InferTensorContents) *[][]byte { return &c.BytesContents }}
)

var fields = [...]interface {
	field() string
	size(c *InferTensorContents) int
}{bools, int32s, int64s, uint32s, uint64s, float32s, float64s, byteSlices}

// same carries a type in a field of that type.
type same[T tensor.Element] struct{ *list[T] }

func (s same[T]) read(shape []int64, c *InferTensorContents) (*tensor.Tensor, error) {
	return tensor.New(shape, *s.in(c))
}

func (s same[T]) write(t *tensor.Tensor, c *InferTensorContents) { *s.in(c) = t.Data.([]T) }

// narrow carries a type in a field of a wider one, by copies.
type narrow[T int8 | int16 | uint8 | uint16, Wide int32 | uint32] struct{ *list[Wide] }

func (n narrow[T, Wide]) read(shape []int64, c *InferTensorContents) (*tensor.Tensor, error) {
	wide := *n.in(c)
	data := make([]T, len(wide))
	for i, w := range wide {
		data[i] = T(w)
		if Wide(data[i]) != w {
			return nil, fmt.Errorf("element %d is %d, which %s cannot hold", i, w, tensor.DTypeOf[T]())
		}
	}
	return tensor.New(shape, data)
}

func (n narrow[T, Wide]) write(t *tensor.Tensor, c *InferTensorContents) {
	data := t.Data.([]T)
	wide := make([]Wide, len(data))
	for i, v := range data {
		wide[i] = Wide(v)
	}
	*n.in(c) = wide
}

// text carries BYTES. Strings and byte slices are views of each other, which nobody
// may change.
type text struct{ *list[[]byte] }

func (b text) read(shape []int64, c *InferTensorContents) (*tensor.Tensor, error) {
	all := *b.in(c)
	data := make([]string, len(all))
	for i, e := range all {
		data[i] = unsafe.String(unsafe.SliceData(e), len(e))
	}
	return tensor.New(shape, data)
}

func (b text) write(t *tensor.Tensor, c *InferTensorContents) {
	data := t.Data.([]string)
	all := make([][]byte, len(data))
	for i, s := range data {
		all[i] = unsafe.Slice(unsafe.StringData(s), len(s))
	}
	*b.in(c) = all
}
