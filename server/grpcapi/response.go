package grpcapi

import (
	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/tensor"
)

// response has the outputs, all of them raw or all typed: the protocol does not
// mix the two, and half-precision numbers are raw always.
func response(outputs []tensor.Named, raw bool) *oip.ModelInferResponse {
	r := &oip.ModelInferResponse{Outputs: make([]*oip.ModelInferResponse_InferOutputTensor, len(outputs))}
	tensors, all := make([]*tensor.Tensor, len(outputs)), make([]oip.ModelInferResponse_InferOutputTensor, len(outputs))
	for i, out := range outputs {
		t, ok := out.Value.(*tensor.Tensor)
		if !ok {
			t = codec.Documents(out.Value)
			all[i].Parameters = parameters{"content_type": {ParameterChoice: &oip.InferParameter_StringParam{StringParam: "json"}}}
		}
		tensors[i], raw = t, raw || oip.FieldOf(t.DType) == ""
		all[i].Name, all[i].Datatype, all[i].Shape = out.Name, t.DType.String(), t.Shape
		r.Outputs[i] = &all[i]
	}
	if !raw {
		for i, t := range tensors {
			all[i].Contents = oip.Contents(t)
		}
		return r
	}
	r.RawOutputContents = make([][]byte, len(tensors))
	for i, t := range tensors {
		r.RawOutputContents[i] = rawContents(t)
	}
	return r
}

// rawContents returns a view of the tensor's memory, little-endian as all that ONNX
// Runtime runs on; strings are copied.
func rawContents(t *tensor.Tensor) []byte {
	if t.DType == tensor.Bytes {
		return codec.AppendRaw(nil, t)
	}
	return t.Memory()
}
