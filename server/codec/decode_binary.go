package codec

import (
	"slices"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// DecodeBinary reads a request of the Open Inference Protocol whose first header
// bytes are JSON. The data of the inputs that have a binary_data_size follows it, in their order.
// The tensors are views of body wherever that is possible: body must stay as it is while they
// are in use.
//
// With a header of 0 the whole body is the data of the model's one input, and
// the outputs are requested in binary.
func DecodeBinary(body []byte, header int, s Signature) (*Request, error) {
	if header < 0 || header > len(body) {
		return nil, fault.New(fault.InvalidArgument, "Inference-Header-Content-Length: is %d, the body has %d bytes", header, len(body))
	}
	if header == 0 {
		return decodeBare(body, s)
	}
	d := newDecoder(body[:header:header], s, oipKeys)
	d.tail, d.binary = true, body[header:]
	req, err := d.request()
	if err == nil && len(d.binary) > 0 {
		return nil, fault.New(fault.InvalidArgument, "body: %d bytes are left over after the data of the inputs", len(d.binary))
	}
	return req, err
}

// binaryData reads the data of a tensor from what follows the JSON.
func (r *tensorReader) binaryData(o *object, size int64) (*tensor.Tensor, error) {
	if _, err := r.spec(o); err != nil {
		return nil, err
	}
	if !r.tail {
		return nil, problemf("data after the JSON needs the header Inference-Header-Content-Length, the length of the JSON")
	}
	if size > int64(len(r.binary)) {
		return nil, problemf("is %d, %d bytes are left in the body", size, len(r.binary))
	}
	raw := r.binary[:size:size]
	r.binary = r.binary[size:]
	t, err := FromRaw(o.dtype, o.shape, raw, r.memory)
	switch {
	case fault.CodeOf(err) == fault.InvalidArgument:
		return nil, problemf("%s: %s", clip(o.name), err)
	case err != nil:
		return nil, err
	}
	return t, nil
}

// decodeBare reads a body that is the data of the one input. One dimension that
// the model leaves open follows from the size. BYTES are one element, the body.
func decodeBare(body []byte, s Signature) (*Request, error) {
	inputs := slices.DeleteFunc(slices.Clone(s.Inputs), func(spec tensor.Spec) bool { return spec.Optional })
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
		if err := s.Memory.charge(int64(len(body))); err != nil {
			return nil, err
		}
		t.Data = []string{string(body)}
	} else {
		var err error
		if t, err = FromRaw(spec.DType, t.Shape, body, s.Memory); err != nil {
			return nil, fault.New(fault.InvalidArgument, "body: input %s: %w", clip(spec.Name), err)
		}
	}
	return &Request{Form: OIP, Inputs: []tensor.Named{{Name: spec.Name, Value: t}}, BinaryOutputs: true}, nil
}
