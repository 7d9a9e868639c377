package codec

import (
	"strconv"

	"slipway/server/tensor"
)

// appendOIP writes the inference response of the Open Inference Protocol, data flat
// in row-major order. Sequences and maps, which the protocol has no type for, are
// BYTES whose elements are JSON documents. Of an output that has a tensor in binary it
// writes how many bytes will follow.
func appendOIP(dst []byte, r *Response, binary []*tensor.Tensor) []byte {
	dst = appendString(append(dst, `{"model_name":`...), r.Model)
	dst = appendString(append(dst, `,"model_version":`...), r.Version)
	if r.ID != "" {
		dst = appendString(append(dst, `,"id":`...), r.ID)
	}
	dst = append(dst, `,"outputs":[`...)
	for i, out := range r.Outputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"name":`...), out.Name)
		t, isTensor := out.Value.(*tensor.Tensor)
		switch {
		case binary != nil && binary[i] != nil:
			dst = appendHead(dst, binary[i], binary[i].DType)
			dst = appendBinarySize(dst, binary[i])
			if !isTensor {
				dst = append(dst, `,"content_type":"json"`...)
			}
			dst = append(dst, '}')
		case isTensor:
			dst = appendData(appendHead(dst, t, JSONType(t.DType)), t)
		default:
			t = Documents(out.Value)
			dst = append(appendHead(dst, t, t.DType), `,"parameters":{"content_type":"json"}`...)
			dst = appendData(dst, t)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']', '}')
}

// JSONType returns the data type that a response in JSON has for d: BF16 exists in binary only, and an
// FP32 holds it exactly.
func JSONType(d tensor.DType) tensor.DType {
	if d == tensor.BF16 {
		return tensor.FP32
	}
	return d
}

// appendHead writes the type and the shape of a tensor.
func appendHead(dst []byte, t *tensor.Tensor, d tensor.DType) []byte {
	dst = append(append(dst, `,"datatype":"`...), d.String()...)
	return appendShape(append(dst, `","shape":`...), t.Shape)
}

func appendShape(dst []byte, shape []int64) []byte {
	dst = append(dst, '[')
	for i, n := range shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	return append(dst, ']')
}

func appendData(dst []byte, t *tensor.Tensor) []byte {
	dst = append(dst, `,"data":[`...)
	return append(appendElements(dst, t, 0, t.Len()), ']')
}

// appendBinarySize writes the parameters of a tensor whose data follows the JSON, but not their end.
func appendBinarySize(dst []byte, t *tensor.Tensor) []byte {
	dst = append(dst, `,"parameters":{"binary_data_size":`...)
	return strconv.AppendInt(dst, int64(RawSize(t)), 10)
}
