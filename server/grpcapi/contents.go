package grpcapi

import (
	"fmt"
	"unsafe"

	"slipway/server/oip"
	"slipway/server/tensor"
)

// typed makes a tensor of the one field that the data type is read from. It
// lends the message's memory, but for types narrower than the field's.
func typed(dtype tensor.DType, shape []int64, c *oip.InferTensorContents) (*tensor.Tensor, error) {
	field := fieldOf(dtype)
	if field == "" {
		return nil, fmt.Errorf("%s has no typed contents; send it in raw_input_contents", dtype)
	}
	if other := filled(c, field); other != "" {
		return nil, fmt.Errorf("%s is given; %s is read from %s", other, dtype, field)
	}
	t, err := lend(dtype, shape, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return t, nil
}

func lend(dtype tensor.DType, shape []int64, c *oip.InferTensorContents) (*tensor.Tensor, error) {
	switch dtype {
	case tensor.Bool:
		return tensor.New(shape, c.GetBoolContents())
	case tensor.Int8:
		return narrow[int8](shape, c.GetIntContents())
	case tensor.Int16:
		return narrow[int16](shape, c.GetIntContents())
	case tensor.Int32:
		return tensor.New(shape, c.GetIntContents())
	case tensor.Int64:
		return tensor.New(shape, c.GetInt64Contents())
	case tensor.Uint8:
		return narrow[uint8](shape, c.GetUintContents())
	case tensor.Uint16:
		return narrow[uint16](shape, c.GetUintContents())
	case tensor.Uint32:
		return tensor.New(shape, c.GetUintContents())
	case tensor.Uint64:
		return tensor.New(shape, c.GetUint64Contents())
	case tensor.FP32:
		return tensor.New(shape, c.GetFp32Contents())
	case tensor.FP64:
		return tensor.New(shape, c.GetFp64Contents())
	}
	return tensor.New(shape, asStrings(c.GetBytesContents()))
}

// narrow copies the elements of a field that is wider than the data type.
func narrow[To int8 | int16 | uint8 | uint16, From int32 | uint32](shape []int64, wide []From) (*tensor.Tensor, error) {
	data := make([]To, len(wide))
	for i, w := range wide {
		data[i] = To(w)
		if From(data[i]) != w {
			return nil, fmt.Errorf("element %d is %d, which %s cannot hold", i, w, tensor.DTypeOf[To]())
		}
	}
	return tensor.New(shape, data)
}

// asStrings are views of bytes that nobody changes.
func asStrings(all [][]byte) []string {
	text := make([]string, len(all))
	for i, b := range all {
		text[i] = unsafe.String(unsafe.SliceData(b), len(b))
	}
	return text
}

// fieldOf is the name of the field that a data type is read from and written
// to, empty for those that travel raw only.
func fieldOf(dtype tensor.DType) string {
	switch dtype {
	case tensor.Bool:
		return "bool_contents"
	case tensor.Int8, tensor.Int16, tensor.Int32:
		return "int_contents"
	case tensor.Int64:
		return "int64_contents"
	case tensor.Uint8, tensor.Uint16, tensor.Uint32:
		return "uint_contents"
	case tensor.Uint64:
		return "uint64_contents"
	case tensor.FP32:
		return "fp32_contents"
	case tensor.FP64:
		return "fp64_contents"
	case tensor.Bytes:
		return "bytes_contents"
	}
	return ""
}

// filled is the name of a field that has elements, other than except; empty if there is none.
func filled(c *oip.InferTensorContents, except string) string {
	if c == nil {
		return ""
	}
	for _, f := range [...]struct {
		name string
		size int
	}{
		{"bool_contents", len(c.BoolContents)},
		{"int_contents", len(c.IntContents)},
		{"int64_contents", len(c.Int64Contents)},
		{"uint_contents", len(c.UintContents)},
		{"uint64_contents", len(c.Uint64Contents)},
		{"fp32_contents", len(c.Fp32Contents)},
		{"fp64_contents", len(c.Fp64Contents)},
		{"bytes_contents", len(c.BytesContents)},
	} {
		if f.size > 0 && f.name != except {
			return f.name
		}
	}
	return ""
}
