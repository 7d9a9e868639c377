package codec

import (
	"unicode/utf8"

	"slipway/server/tensor"
)

// widths are the most bytes that an element has in JSON, with the comma.
var widths = [...]int64{
	tensor.Bool: 6, tensor.Int8: 5, tensor.Uint8: 4, tensor.Int16: 7, tensor.Uint16: 6,
	tensor.Int32: 12, tensor.Uint32: 11, tensor.Int64: 21, tensor.Uint64: 21,
	tensor.FP16: 17, tensor.BF16: 17, tensor.FP32: 17, tensor.FP64: 26,
}

// Bound returns how many bytes AppendBinary writes at most.
func Bound(r *Response) int64 {
	const head = 256 // names of keys, data type and the like
	size := int64(head + escaped*(len(r.Model)+len(r.Version)+len(r.ID)))
	for _, out := range r.Outputs {
		size += head + int64(escaped*len(out.Name))
		if requested, stated := r.Binary[out.Name]; requested || !stated && r.BinaryOutputs {
			if t, ok := out.Value.(*tensor.Tensor); ok {
				size += int64(RawSize(t))
				continue
			}
		}
		size += boundOf(out.Value)
		if r.Form == Rows && len(r.Outputs) > 1 { // each row has the name
			size += int64(r.Rows) * int64(escaped*len(out.Name)+4)
		}
	}
	return size
}

// base64Bytes is how many bytes an element takes more, at most, because it is written in base64.
const base64Bytes = 16

// escaped is how many bytes a byte of a string becomes at most.
const escaped = 6

func boundOf(v tensor.Value) (size int64) {
	switch v := v.(type) {
	case *tensor.Tensor:
		return boundOfTensor(v)
	case tensor.Sequence:
		for _, element := range v {
			size += 1 + boundOf(element)
		}
	case tensor.Map:
		// A key has quotation marks and a colon.
		return boundOfTensor(v.Keys) + boundOfTensor(v.Values) + 4*int64(v.Keys.Len())
	}
	// A document is a string of JSON, in which a quotation mark takes a byte more.
	return 2 * (size + 8)
}

func boundOfTensor(t *tensor.Tensor) int64 {
	const array = 3 // brackets and the comma
	size, arrays := int64(20*len(t.Shape)+array), int64(1)
	for _, n := range t.Shape {
		size += array * arrays
		arrays *= n
	}
	if text, ok := t.Data.([]string); ok {
		for _, s := range text {
			size += int64(escaped*len(s)) + array
			if !utf8.ValidString(s) {
				size += base64Bytes
			}
		}
		return size
	}
	return size + widths[t.DType]*int64(t.Len())
}
