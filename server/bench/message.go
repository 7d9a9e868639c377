package bench

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/tensor"
)

// encodeMessage encodes a request as a message with raw contents.
func encodeMessage(r *codec.Request, model, version string) ([]byte, error) {
	m := &oip.ModelInferRequest{ModelName: model, ModelVersion: version, Id: r.ID}
	if len(r.Parameters) > 0 {
		m.Parameters = map[string]*oip.InferParameter{}
	}
	for name, value := range r.Parameters {
		p := &oip.InferParameter{}
		switch v := value.(type) {
		case bool:
			p.ParameterChoice = &oip.InferParameter_BoolParam{BoolParam: v}
		case string:
			p.ParameterChoice = &oip.InferParameter_StringParam{StringParam: v}
		case int64:
			p.ParameterChoice = &oip.InferParameter_Int64Param{Int64Param: v}
		case float64:
			p.ParameterChoice = &oip.InferParameter_DoubleParam{DoubleParam: v}
		default:
			return nil, fmt.Errorf("encode parameter %q: a %T cannot be a parameter", name, value)
		}
		m.Parameters[name] = p
	}
	for _, in := range r.Inputs {
		t := in.Value.(*tensor.Tensor)
		m.RawInputContents = append(m.RawInputContents, codec.AppendRaw(nil, t))
		m.Inputs = append(m.Inputs, &oip.ModelInferRequest_InferInputTensor{
			Name: in.Name, Datatype: t.DType.String(), Shape: t.Shape,
		})
	}
	for _, name := range r.Outputs {
		m.Outputs = append(m.Outputs, &oip.ModelInferRequest_InferRequestedOutputTensor{Name: name})
	}
	message, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return message, nil
}

// decodeMessage reads the outputs of a response, raw or typed.
func decodeMessage(message []byte) ([]tensor.Named, error) {
	var m oip.ModelInferResponse
	if err := proto.Unmarshal(message, &m); err != nil {
		return nil, err
	}
	raw := m.GetRawOutputContents()
	all := make([]tensor.Named, len(m.GetOutputs()))
	for i, out := range m.GetOutputs() {
		dtype, ok := tensor.ParseDType(out.GetDatatype())
		if !ok {
			return nil, fmt.Errorf("output %q has datatype %q, which is none of the protocol's", out.GetName(), out.GetDatatype())
		}
		var t *tensor.Tensor
		var err error
		if i < len(raw) {
			t, err = codec.FromRaw(dtype, out.GetShape(), raw[i], nil)
		} else {
			t, err = oip.FromContents(dtype, out.GetShape(), out.GetContents())
		}
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", out.GetName(), err)
		}
		all[i] = tensor.Named{Name: out.GetName(), Value: t}
	}
	return all, nil
}

// decodeMetadata reads the inputs of a model, but not those that have a default.
func decodeMetadata(m *oip.ModelMetadataResponse) ([]tensor.Spec, error) {
	optional := codec.OptionalInputs(m.GetParameters()["optional_inputs"].GetStringParam())
	inputs := make([]tensor.Spec, 0, len(m.GetInputs()))
	for _, in := range m.GetInputs() {
		if slices.Contains(optional, in.GetName()) {
			continue
		}
		dtype, ok := tensor.ParseDType(in.GetDatatype())
		if !ok {
			return nil, fmt.Errorf("input %q has datatype %q, which is none of the protocol's", in.GetName(), in.GetDatatype())
		}
		inputs = append(inputs, tensor.Spec{Name: in.GetName(), DType: dtype, Shape: in.GetShape()})
	}
	return inputs, nil
}
