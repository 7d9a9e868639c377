package grpcapi

import (
	"slices"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// isRaw tells a request whose data is in raw_input_contents.
func isRaw(r *oip.ModelInferRequest) bool { return len(r.GetRawInputContents()) > 0 }

// query is what a request asks; its tensors are views of the message wherever
// Go's types allow.
func query(r *oip.ModelInferRequest) (serving.Query, error) {
	q, err := requestParameters(r.GetParameters())
	if err != nil {
		return q, err
	}
	if q.Inputs, err = inputs(r); err != nil {
		return q, err
	}
	q.Outputs, err = requestedOutputs(r.GetOutputs())
	return q, err
}

func inputs(r *oip.ModelInferRequest) ([]tensor.Named, error) {
	given, raw := r.GetInputs(), r.GetRawInputContents()
	if isRaw(r) && len(raw) != len(given) {
		return nil, fault.New(fault.InvalidArgument, "raw_input_contents: got %d, expected one for each of the %d inputs", len(raw), len(given))
	}
	all := make([]tensor.Named, len(given))
	for i, in := range given {
		if err := tensorParameters(in.GetParameters()); err != nil {
			return nil, fault.New(fault.InvalidArgument, "inputs[%d].parameters%w", i, err)
		}
		dtype, ok := tensor.ParseDType(in.GetDatatype())
		if !ok {
			return nil, fault.New(fault.InvalidArgument, "inputs[%d].datatype: got %.32q, expected BOOL, INT8 to INT64, UINT8 to UINT64, FP16, BF16, FP32, FP64 or BYTES", i, in.GetDatatype())
		}
		if _, err := tensor.Count(in.GetShape()); err != nil {
			return nil, fault.New(fault.InvalidArgument, "inputs[%d].shape: %w", i, err)
		}
		t, err := one(in, dtype, raw, i)
		if err != nil {
			return nil, err
		}
		all[i] = tensor.Named{Name: in.GetName(), Value: t}
	}
	return all, nil
}

// one is the tensor of the i-th input, from the place where its data is.
func one(in *oip.ModelInferRequest_InferInputTensor, dtype tensor.DType, raw [][]byte, i int) (*tensor.Tensor, error) {
	if len(raw) == 0 {
		t, err := typed(dtype, in.GetShape(), in.GetContents())
		if err != nil {
			return nil, fault.New(fault.InvalidArgument, "inputs[%d].contents: input %q: %w", i, in.GetName(), err)
		}
		return t, nil
	}
	if field := filled(in.GetContents(), ""); field != "" {
		return nil, fault.New(fault.InvalidArgument, "inputs[%d].contents.%s: given beside raw_input_contents; send one of the two", i, field)
	}
	t, err := codec.FromRaw(dtype, in.GetShape(), raw[i])
	if err != nil {
		return nil, fault.New(fault.InvalidArgument, "raw_input_contents[%d]: input %q: %w", i, in.GetName(), err)
	}
	return t, nil
}

// requestedOutputs are the names of the outputs asked for; nil means all.
func requestedOutputs(wanted []*oip.ModelInferRequest_InferRequestedOutputTensor) ([]string, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	names := make([]string, 0, len(wanted))
	for i, out := range wanted {
		if err := tensorParameters(out.GetParameters()); err != nil {
			return nil, fault.New(fault.InvalidArgument, "outputs[%d].parameters%w", i, err)
		}
		if slices.Contains(names, out.GetName()) {
			return nil, fault.New(fault.InvalidArgument, "outputs[%d].name: output %q is asked for twice", i, out.GetName())
		}
		names = append(names, out.GetName())
	}
	return names, nil
}
