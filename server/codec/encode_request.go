package codec

import (
	"maps"
	"slices"
	"strconv"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// AppendRequest writes an inference request of the Open Inference Protocol in JSON. It does not name the
// model, which the route does.
func AppendRequest(dst []byte, r *Request) []byte {
	dst, _ = appendRequest(dst, r, false)
	return dst
}

// AppendBinaryRequest writes a request whose inputs follow its JSON, which has header bytes.
func AppendBinaryRequest(dst []byte, r *Request) (body []byte, header int) {
	body, tensors := appendRequest(dst, r, true)
	header = len(body) - len(dst)
	return appendRaws(body, tensors), header
}

func appendRequest(dst []byte, r *Request, binary bool) (body []byte, tensors []*tensor.Tensor) {
	dst = append(dst, '{')
	if r.ID != "" {
		dst = append(appendString(append(dst, `"id":`...), r.ID), ',')
	}
	if len(r.Parameters) > 0 {
		dst = append(appendParameters(append(dst, `"parameters":`...), r.Parameters), ',')
	}
	dst = append(dst, `"inputs":[`...)
	for i, in := range r.Inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		t := in.Value.(*tensor.Tensor)
		tensors = append(tensors, t)
		dst = appendHead(appendString(append(dst, `{"name":`...), in.Name), t, t.DType)
		if binary {
			dst = append(appendBinarySize(dst, t), '}')
		} else {
			dst = appendData(dst, t)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	if len(r.Outputs) > 0 {
		dst = appendRequestedOutputs(append(dst, `,"outputs":`...), r)
	}
	return append(dst, '}'), tensors
}

func appendRequestedOutputs(dst []byte, r *Request) []byte {
	dst = append(dst, '[')
	for i, name := range r.Outputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"name":`...), name)
		if binary, stated := r.Binary[name]; stated {
			dst = append(strconv.AppendBool(append(dst, `,"parameters":{"binary_data":`...), binary), '}')
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendParameters writes parameters in the order of their names.
func appendParameters(dst []byte, parameters map[string]any) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(parameters)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, name), ':')
		switch v := parameters[name].(type) {
		case bool:
			dst = strconv.AppendBool(dst, v)
		case int64:
			dst = strconv.AppendInt(dst, v, 10)
		case float64:
			dst = appendNumbers(dst, []float64{v}, number.PutFloat64)
		case string:
			dst = appendString(dst, v)
		default:
			dst = append(dst, "null"...)
		}
	}
	return append(dst, '}')
}
