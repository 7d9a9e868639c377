package codec

import (
	"encoding/json"
	"slices"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// optionalInputs is the property that names the inputs that have a default.
const optionalInputs = "optional_inputs"

// OptionalInputs reads that property; it is empty for other servers.
func OptionalInputs(property string) (all []string) {
	_ = json.Unmarshal([]byte(property), &all) // what is none of ours names none
	return all
}

// DecodeMetadata reads the inputs of a model from its metadata, as any server of the Open Inference
// Protocol describes them, but not those that have a default.
func DecodeMetadata(body []byte) (inputs []tensor.Spec, err error) {
	var metadata struct {
		Inputs []struct {
			Name, Datatype string
			Shape          []int64
		}
		Properties map[string]any // which MLServer and Slipway have
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, err)
	}
	text, _ := metadata.Properties[optionalInputs].(string)
	optional := OptionalInputs(text)
	for _, in := range metadata.Inputs {
		if slices.Contains(optional, in.Name) {
			continue
		}
		dtype, ok := tensor.ParseDType(in.Datatype)
		if !ok {
			return nil, fault.New(fault.InvalidArgument, "input %s has datatype %s, which is none of the protocol's", clip(in.Name), clip(in.Datatype))
		}
		inputs = append(inputs, tensor.Spec{Name: in.Name, DType: dtype, Shape: in.Shape})
	}
	return inputs, nil
}
