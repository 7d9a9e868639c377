package codec

import (
	"strconv"

	"slipway/server/tensor"
)

// appendOIP writes the inference response of the Open Inference Protocol, data flat
// in row-major order. Sequences and maps, which the protocol has no type for, are
// BYTES whose elements are JSON documents. Of the outputs that have a tensor in
// binary it says how many bytes will follow.
func appendOIP(dst []byte, r *Response, binary []*tensor.Tensor) ([]byte, error) {
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
		if binary != nil && binary[i] != nil {
			dst = appendBinarySize(dst, out.Value, binary[i])
		} else if t, ok := out.Value.(*tensor.Tensor); ok {
			dst = appendTensor(dst, t)
		} else {
			dst = appendDocuments(dst, out.Value)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']', '}'), nil
}

func appendTensor(dst []byte, t *tensor.Tensor) []byte {
	dtype := t.DType
	if dtype == tensor.BF16 {
		dtype = tensor.FP32 // BF16 exists in binary only; an FP32 holds it exactly
	}
	dst = append(append(dst, `,"datatype":"`...), dtype.String()...)
	dst = appendShape(append(dst, `","shape":`...), t.Shape)
	dst = append(dst, `,"data":[`...)
	return append(appendElements(dst, t, 0, elements(t.Shape)), ']')
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

func appendDocuments(dst []byte, v tensor.Value) []byte {
	documents := Documents(v)
	dst = appendShape(append(dst, `,"datatype":"BYTES","shape":`...), documents.Shape)
	dst = append(dst, `,"parameters":{"content_type":"json"},"data":[`...)
	return append(appendElements(dst, documents, 0, elements(documents.Shape)), ']')
}
