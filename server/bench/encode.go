package bench

import (
	"encoding/json"
	"fmt"
	"maps"

	"slipway/server/oip"
	"slipway/server/tensor"
)

// JSON is the question as a REST body, which ReadQuestion reads.
func (q *Question) JSON() ([]byte, error) {
	given := q.header(q.Parameters)
	for i, in := range q.Inputs {
		data, err := appendJSON(nil, in.Value.(*tensor.Tensor))
		if err != nil {
			return nil, fmt.Errorf("encode input %q: %w", in.Name, err)
		}
		given.Inputs[i].Data = data
	}
	return json.Marshal(given)
}

// encodeBinary is the question as the binary extension has it: a JSON header of
// so many bytes, and the tensors after it. The answer is asked for in binary too.
func encodeBinary(q *Question) (body []byte, header int, err error) {
	parameters := map[string]any{"binary_data_output": true}
	maps.Copy(parameters, q.Parameters)
	given := q.header(parameters)
	var tensors []byte
	for i, in := range q.Inputs {
		before := len(tensors)
		if tensors, err = appendRaw(tensors, in.Value.(*tensor.Tensor)); err != nil {
			return nil, 0, fmt.Errorf("encode input %q: %w", in.Name, err)
		}
		given.Inputs[i].Parameters = map[string]any{"binary_data_size": len(tensors) - before}
	}
	if body, err = json.Marshal(given); err != nil {
		return nil, 0, err
	}
	return append(body, tensors...), len(body), nil
}

// header is the question without elements.
func (q *Question) header(parameters map[string]any) questionJSON {
	given := questionJSON{ID: q.ID, Parameters: parameters}
	for _, in := range q.Inputs {
		t := in.Value.(*tensor.Tensor)
		given.Inputs = append(given.Inputs, tensorJSON{Name: in.Name, Datatype: t.DType.String(), Shape: t.Shape})
	}
	for _, name := range q.Outputs {
		given.Outputs = append(given.Outputs, tensorJSON{Name: name})
	}
	return given
}

// encodeGRPC is the question as a message with raw contents.
func encodeGRPC(q *Question, model, version string) (*oip.ModelInferRequest, error) {
	m := &oip.ModelInferRequest{ModelName: model, ModelVersion: version, Id: q.ID}
	for name, value := range q.Parameters {
		p, err := parameter(value)
		if err != nil {
			return nil, fmt.Errorf("encode parameter %q: %w", name, err)
		}
		if m.Parameters == nil {
			m.Parameters = map[string]*oip.InferParameter{}
		}
		m.Parameters[name] = p
	}
	for _, in := range q.Inputs {
		t := in.Value.(*tensor.Tensor)
		raw, err := appendRaw(nil, t)
		if err != nil {
			return nil, fmt.Errorf("encode input %q: %w", in.Name, err)
		}
		m.RawInputContents = append(m.RawInputContents, raw)
		m.Inputs = append(m.Inputs, &oip.ModelInferRequest_InferInputTensor{
			Name: in.Name, Datatype: t.DType.String(), Shape: t.Shape,
		})
	}
	for _, name := range q.Outputs {
		m.Outputs = append(m.Outputs, &oip.ModelInferRequest_InferRequestedOutputTensor{Name: name})
	}
	return m, nil
}

func parameter(value any) (*oip.InferParameter, error) {
	switch v := value.(type) {
	case bool:
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_BoolParam{BoolParam: v}}, nil
	case string:
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_StringParam{StringParam: v}}, nil
	case int64:
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_Int64Param{Int64Param: v}}, nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return parameter(n)
		}
		f, err := v.Float64()
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_DoubleParam{DoubleParam: f}}, err
	}
	return nil, fmt.Errorf("a %T cannot be a parameter", value)
}
