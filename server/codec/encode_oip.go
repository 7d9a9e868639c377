package codec

import (
	"strconv"

	"slipway/server/tensor"
)

// appendOIP writes the inference response of the Open Inference Protocol, data flat
// in row-major order. Sequences and maps, which the protocol has no type for, are
// BYTES whose elements are JSON documents.
func appendOIP(dst []byte, r *Response) ([]byte, error) {
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
		if t, ok := out.Value.(*tensor.Tensor); ok {
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
	dst = append(dst, `","shape":[`...)
	for i, n := range t.Shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, n, 10)
	}
	dst = append(dst, `],"data":[`...)
	return append(appendElements(dst, t, 0, elements(t.Shape)), ']')
}

func appendDocuments(dst []byte, v tensor.Value) []byte {
	list, ok := v.(tensor.Sequence)
	if !ok {
		list = tensor.Sequence{v}
	}
	dst = append(dst, `,"datatype":"BYTES","shape":[`...)
	dst = strconv.AppendInt(dst, int64(len(list)), 10)
	dst = append(dst, `],"parameters":{"content_type":"json"},"data":[`...)
	var document []byte
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		document = appendValue(document[:0], e)
		dst = appendString(dst, string(document))
	}
	return append(dst, ']')
}
