package codec

import (
	"strconv"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// DecodeBinary reads a request of the Open Inference Protocol whose first header
// bytes are JSON and are followed by the data of the inputs that have a
// binary_data_size, in their order. The tensors are views of body wherever they can
// be, which must stay as it is for as long as they are used.
//
// With a header of 0 the whole body is the data of the model's one input, and
// the outputs are asked for in binary.
func DecodeBinary(body []byte, header int, inputs []tensor.Spec) (*Request, error) {
	if header < 0 || header > len(body) {
		return nil, fault.New(fault.InvalidArgument, "Inference-Header-Content-Length: is %d, the body has %d bytes", header, len(body))
	}
	if header == 0 {
		return decodeBare(body, inputs)
	}
	d := &decoder{scanner: scanner{buf: body[:header:header]}, specs: inputs, keys: oipKeys, binary: body[header:], tail: true}
	if err := d.document(); err != nil {
		return nil, invalid(err)
	}
	if len(d.binary) > 0 {
		return nil, fault.New(fault.InvalidArgument, "body: %d bytes are left over after the data of the inputs", len(d.binary))
	}
	return &d.req, nil
}

// binaryData takes the data of an input from what follows the JSON.
func (d *decoder) binaryData(p *oipInput, size int64) (*tensor.Tensor, error) {
	if _, err := d.spec(p); err != nil {
		return nil, err
	}
	if !d.tail {
		return nil, problemf("data after the JSON needs the header Inference-Header-Content-Length, the length of the JSON")
	}
	if size > int64(len(d.binary)) {
		return nil, problemf("is %d, %d bytes are left in the body", size, len(d.binary))
	}
	raw := d.binary[:size:size]
	d.binary = d.binary[size:]
	t, err := FromRaw(p.dtype, p.shape, raw)
	if err != nil {
		return nil, problemf("%s: %s", clip(p.name), err)
	}
	return t, nil
}

// decodeBare reads a body that is nothing but the data of the one input. One
// dimension that the model leaves open follows from the size; BYTES are one
// element, the body.
func decodeBare(body []byte, inputs []tensor.Spec) (*Request, error) {
	if len(inputs) != 1 {
		return nil, fault.New(fault.InvalidArgument, "body: a body without JSON is the data of one input, the model has %d", len(inputs))
	}
	spec := inputs[0]
	t := &tensor.Tensor{DType: spec.DType, Shape: append([]int64{}, spec.Shape...)}
	open, count := -1, int64(1)
	for i, n := range t.Shape {
		switch {
		case n >= 0:
			count *= n
		case open >= 0:
			return nil, fault.New(fault.InvalidArgument, "body: the shape %s of input %s is open in more than one dimension; send JSON before the data", tensor.ShapeString(spec.Shape), clip(spec.Name))
		default:
			open = i
		}
	}
	given := int64(1)
	if spec.DType != tensor.Bytes {
		given = int64(len(body)) / int64(max(spec.DType.Size(), 1))
	}
	if open >= 0 {
		t.Shape[open] = given / max(count, 1)
	}
	if spec.DType == tensor.Bytes {
		if n, err := tensor.Count(t.Shape); err != nil || n != 1 {
			return nil, fault.New(fault.InvalidArgument, "body: input %s takes %s, not one element; send JSON before the data", clip(spec.Name), tensor.ShapeString(spec.Shape))
		}
		t.Data = []string{string(body)}
	} else {
		var err error
		if t, err = FromRaw(spec.DType, t.Shape, body); err != nil {
			return nil, fault.New(fault.InvalidArgument, "body: input %s: %w", clip(spec.Name), err)
		}
	}
	return &Request{Form: OIP, Inputs: []tensor.Named{{Name: spec.Name, Value: t}}, BinaryOutputs: true}, nil
}

// AppendBinary writes the answer to dst, and those of the outputs that are
// asked for in binary after its JSON, whose length is header. It is -1 when all is
// JSON.
func AppendBinary(dst []byte, r *Response) (answer []byte, header int, err error) {
	if r.Form != OIP || !r.BinaryOutputs && len(r.Binary) == 0 {
		answer, err = Append(dst, r)
		return answer, -1, err
	}
	binary, some := make([]*tensor.Tensor, len(r.Outputs)), false
	for i, out := range r.Outputs {
		wanted, said := r.Binary[out.Name]
		if said && !wanted || !said && !r.BinaryOutputs {
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
		answer, err = Append(dst, r)
		return answer, -1, err
	}
	if answer, err = appendOIP(dst, r, binary); err != nil {
		return answer, -1, err
	}
	header = len(answer) - len(dst)
	for _, t := range binary {
		if t != nil {
			answer = AppendRaw(answer, t)
		}
	}
	return answer, header, nil
}

// appendBinarySize describes an output whose data follows the JSON.
func appendBinarySize(dst []byte, v tensor.Value, t *tensor.Tensor) []byte {
	dst = append(append(dst, `,"datatype":"`...), t.DType.String()...)
	dst = appendShape(append(dst, `","shape":`...), t.Shape)
	dst = append(dst, `,"parameters":{"binary_data_size":`...)
	dst = strconv.AppendInt(dst, int64(RawSize(t)), 10)
	if _, ok := v.(*tensor.Tensor); !ok {
		dst = append(dst, `,"content_type":"json"`...)
	}
	return append(dst, '}')
}
