package codec

import "slipway/server/tensor"

// AppendBinary writes a response to dst. The data of the outputs that are requested in
// binary follows the JSON, whose length is header. It is -1 when all is JSON.
func AppendBinary(dst []byte, r *Response) (body []byte, header int, err error) {
	if r.Form == OIP {
		if binary := binaryOutputs(r); binary != nil {
			body = appendOIP(dst, r, binary)
			header = len(body) - len(dst)
			return appendRaws(body, binary), header, nil
		}
	}
	body, err = Append(dst, r)
	return body, -1, err
}

// binaryOutputs returns the tensors of the outputs that are requested in binary, each at its
// output's index; nil if there is none.
func binaryOutputs(r *Response) []*tensor.Tensor {
	if !r.BinaryOutputs && len(r.Binary) == 0 {
		return nil
	}
	binary, some := make([]*tensor.Tensor, len(r.Outputs)), false
	for i, out := range r.Outputs {
		requested, stated := r.Binary[out.Name]
		if stated && !requested || !stated && !r.BinaryOutputs {
			continue
		}
		some = true
		if t, ok := out.Value.(*tensor.Tensor); ok {
			binary[i] = t
		} else {
			binary[i] = Documents(out.Value)
		}
	}
	if !some {
		return nil
	}
	return binary
}

func appendRaws(dst []byte, tensors []*tensor.Tensor) []byte {
	for _, t := range tensors {
		if t != nil {
			dst = AppendRaw(dst, t)
		}
	}
	return dst
}
