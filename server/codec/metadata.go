package codec

import (
	"encoding/json"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// DecodeMetadata reads the inputs of a model from its metadata, as any server of the Open Inference
// Protocol describes them.
func DecodeMetadata(body []byte) (inputs []tensor.Spec, err error) {
	var metadata struct {
		Inputs []struct {
			Name, Datatype string
			Shape          []int64
		}
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, err)
	}
	for _, in := range metadata.Inputs {
		dtype, ok := tensor.ParseDType(in.Datatype)
		if !ok {
			return nil, fault.New(fault.InvalidArgument, "input %s has datatype %s, which is none of the protocol's", clip(in.Name), clip(in.Datatype))
		}
		inputs = append(inputs, tensor.Spec{Name: in.Name, DType: dtype, Shape: in.Shape})
	}
	return inputs, nil
}
