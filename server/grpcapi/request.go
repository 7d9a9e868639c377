package grpcapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/names"
	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/tensor"
)

type parameters = map[string]*oip.InferParameter

// isRaw reports whether the request's data is in raw_input_contents.
func isRaw(r *oip.ModelInferRequest) bool { return len(r.GetRawInputContents()) > 0 }

// requestParameters reads those of the request's parameters that affect how it is
// treated.
func requestParameters(given parameters) (q serving.Request, err error) {
	if q.Timeout, err = api.Timeout(value(given["timeout"])); err != nil {
		return q, fault.New(fault.InvalidArgument, "parameters[\"timeout\"]: %w", err)
	}
	if q.Priority, err = api.Priority(value(given["priority"])); err != nil {
		return q, fault.New(fault.InvalidArgument, "parameters[\"priority\"]: %w", err)
	}
	return q, nil
}

// inputs returns the request's tensors. What they take beside the message is charged.
func inputs(r *oip.ModelInferRequest, charge *admission.Charge) ([]tensor.Named, error) {
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
		t, err := input(in, dtype, raw, i, charge)
		if err != nil {
			return nil, err
		}
		all[i] = tensor.Named{Name: in.GetName(), Value: t}
	}
	return all, nil
}

// input returns the tensor of the i-th input, from the place where its data is.
func input(in *oip.ModelInferRequest_InferInputTensor, dtype tensor.DType, raw [][]byte, i int, charge *admission.Charge) (*tensor.Tensor, error) {
	if len(raw) == 0 {
		t, err := oip.FromContents(dtype, in.GetShape(), in.GetContents())
		if err != nil {
			return nil, fault.New(fault.InvalidArgument, "inputs[%d].contents: input %q: %w", i, in.GetName(), err)
		}
		return t, nil
	}
	if field := oip.Filled(in.GetContents(), ""); field != "" {
		return nil, fault.New(fault.InvalidArgument, "inputs[%d].contents.%s: given beside raw_input_contents; send one of the two", i, field)
	}
	t, err := codec.FromRaw(dtype, in.GetShape(), raw[i], func(bytes int64) error { return charge.Add(admission.Decode, bytes) })
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, fmt.Errorf("raw_input_contents[%d]: input %q: %w", i, in.GetName(), err))
	}
	return t, nil
}

// requestedOutputs returns the names of the requested outputs; nil means all. The
// first that the model does not have ends it: a request may name a great many.
func requestedOutputs(requested []*oip.ModelInferRequest_InferRequestedOutputTensor, has []tensor.Spec) ([]string, error) {
	if len(requested) == 0 {
		return nil, nil
	}
	all := make([]string, 0, len(has))
	for i, out := range requested {
		if err := tensorParameters(out.GetParameters()); err != nil {
			return nil, fault.New(fault.InvalidArgument, "outputs[%d].parameters%w", i, err)
		}
		if !slices.ContainsFunc(has, func(s tensor.Spec) bool { return s.Name == out.GetName() }) {
			return nil, fault.New(fault.InvalidArgument, "outputs[%d].name: the model has no output %.64q; its outputs are %s", i, out.GetName(), names.List(out.GetName(), tensor.Names(has)))
		}
		if slices.Contains(all, out.GetName()) {
			return nil, fault.New(fault.InvalidArgument, "outputs[%d].name: output %q is requested twice", i, out.GetName())
		}
		all = append(all, out.GetName())
	}
	return all, nil
}

// tensorParameters refuses those parameters of an input or output that would
// change what its data means. The error begins with the parameter's name in brackets.
func tensorParameters(given parameters) error {
	for name, p := range given {
		var reason error
		switch {
		case strings.HasPrefix(name, "shared_memory_"):
			reason = errors.New("the shared memory extension is not served: send the data in the message")
		case name == "classification" && !isZero(p):
			reason = errors.New("the classification extension is not served: rank the scores at the client")
		case name == "content_type" && p.GetStringParam() == "base64":
			reason = errors.New("base64 is not decoded: send the bytes themselves")
		}
		if reason != nil {
			return fmt.Errorf("[%q]: %w", name, reason)
		}
	}
	return nil
}

func isZero(p *oip.InferParameter) bool {
	v := value(p)
	return v == nil || v == int64(0) || v == uint64(0)
}

// value returns the value of a parameter; nil if the parameter is not given.
func value(p *oip.InferParameter) any {
	switch v := p.GetParameterChoice().(type) {
	case *oip.InferParameter_Int64Param:
		return v.Int64Param
	case *oip.InferParameter_Uint64Param:
		return v.Uint64Param
	case *oip.InferParameter_StringParam:
		return v.StringParam
	case *oip.InferParameter_BoolParam:
		return v.BoolParam
	case *oip.InferParameter_DoubleParam:
		return v.DoubleParam
	}
	return nil // an empty one is as good as none
}
