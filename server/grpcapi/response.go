package grpcapi

import (
	"unsafe"

	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/tensor"
)

// message is the response that holds the outputs, all of them raw or all typed:
// the protocol does not mix the two, and half-precision numbers are raw always.
func message(outputs []tensor.Named, raw bool) *oip.ModelInferResponse {
	m := &oip.ModelInferResponse{Outputs: make([]*oip.ModelInferResponse_InferOutputTensor, len(outputs))}
	tensors, slots := make([]*tensor.Tensor, len(outputs)), make([]oip.ModelInferResponse_InferOutputTensor, len(outputs))
	for i, out := range outputs {
		t, ok := out.Value.(*tensor.Tensor)
		if !ok {
			t = codec.Documents(out.Value)
			slots[i].Parameters = parameters{"content_type": {ParameterChoice: &oip.InferParameter_StringParam{StringParam: "json"}}}
		}
		tensors[i], raw = t, raw || fieldOf(t.DType) == ""
		slots[i].Name, slots[i].Datatype, slots[i].Shape = out.Name, t.DType.String(), t.Shape
		m.Outputs[i] = &slots[i]
	}
	if !raw {
		for i, t := range tensors {
			slots[i].Contents = contents(t)
		}
		return m
	}
	m.RawOutputContents = make([][]byte, len(tensors))
	for i, t := range tensors {
		m.RawOutputContents[i] = rawContents(t)
	}
	return m
}

// contents is the inverse of typed: it lends the tensor's memory where it can.
func contents(t *tensor.Tensor) *oip.InferTensorContents {
	switch d := t.Data.(type) {
	case []bool:
		return &oip.InferTensorContents{BoolContents: d}
	case []int8:
		return &oip.InferTensorContents{IntContents: widen[int32](d)}
	case []int16:
		return &oip.InferTensorContents{IntContents: widen[int32](d)}
	case []int32:
		return &oip.InferTensorContents{IntContents: d}
	case []int64:
		return &oip.InferTensorContents{Int64Contents: d}
	case []uint8:
		return &oip.InferTensorContents{UintContents: widen[uint32](d)}
	case []uint16:
		return &oip.InferTensorContents{UintContents: widen[uint32](d)}
	case []uint32:
		return &oip.InferTensorContents{UintContents: d}
	case []uint64:
		return &oip.InferTensorContents{Uint64Contents: d}
	case []float32:
		return &oip.InferTensorContents{Fp32Contents: d}
	case []float64:
		return &oip.InferTensorContents{Fp64Contents: d}
	case []string:
		return &oip.InferTensorContents{BytesContents: asBytes(d)}
	}
	return nil
}

func widen[To int32 | uint32, From int8 | int16 | uint8 | uint16](data []From) []To {
	wide := make([]To, len(data))
	for i, n := range data {
		wide[i] = To(n)
	}
	return wide
}

// asBytes are views of strings, only to be read.
func asBytes(text []string) [][]byte {
	all := make([][]byte, len(text))
	for i, s := range text {
		all[i] = unsafe.Slice(unsafe.StringData(s), len(s))
	}
	return all
}

// rawContents is a view of the tensor's memory, little-endian as all that ONNX
// Runtime runs on; strings are copied.
func rawContents(t *tensor.Tensor) []byte {
	if t.DType == tensor.Bytes {
		return codec.AppendRaw(nil, t)
	}
	return t.Memory()
}
