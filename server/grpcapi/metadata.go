package grpcapi

import (
	"context"

	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// What this server calls itself and its models.
const (
	serverName = "slipway"
	platform   = "onnxruntime_onnx"
	backend    = "onnxruntime"
	refused    = "refused: " // begins the parameter "batching" of a version that runs without what was asked for
)

// extensions are the parts of Triton's protocol that are served besides the common one.
var extensions = []string{"model_configuration", "model_repository", "statistics"}

// ServerLive is true whenever it is answered.
func (s *service) ServerLive(context.Context, *oip.ServerLiveRequest) (*oip.ServerLiveResponse, error) {
	return &oip.ServerLiveResponse{Live: true}, nil
}

// ServerReady tells whether requests should come here.
func (s *service) ServerReady(context.Context, *oip.ServerReadyRequest) (*oip.ServerReadyResponse, error) {
	return &oip.ServerReadyResponse{Ready: s.ready() == nil}, nil
}

// ModelReady is false, and no error, for a model that is not there: that is
// what its askers wait on.
func (s *service) ModelReady(_ context.Context, r *oip.ModelReadyRequest) (*oip.ModelReadyResponse, error) {
	_, err := s.Catalog.Choose(r.GetName(), r.GetVersion())
	return &oip.ModelReadyResponse{Ready: err == nil}, nil
}

// ServerMetadata says what is running.
func (s *service) ServerMetadata(context.Context, *oip.ServerMetadataRequest) (*oip.ServerMetadataResponse, error) {
	return &oip.ServerMetadataResponse{Name: serverName, Version: s.Version, Extensions: extensions}, nil
}

// ModelMetadata says what a model takes and gives.
func (s *service) ModelMetadata(ctx context.Context, r *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	m, v, err := s.choose(ctx, r.GetName(), r.GetVersion())
	if err != nil {
		return nil, err
	}
	answer := &oip.ModelMetadataResponse{
		Name: m.Name, Versions: m.Numbers(), Platform: platform,
		Inputs: describe(v.Inputs), Outputs: describe(v.Outputs),
	}
	if v.BatchingRefused() != "" {
		answer.Parameters = parameters{"batching": {ParameterChoice: &oip.InferParameter_StringParam{StringParam: refused + v.BatchingRefused()}}}
	}
	return answer, nil
}

// choose finds a model and one of its versions, to be described.
func (s *service) choose(ctx context.Context, model, version string) (*serving.Model, *serving.Version, error) {
	m, err := s.Catalog.Model(model)
	if err != nil {
		return nil, nil, err
	}
	v, err := m.Version(version)
	if err != nil {
		return nil, nil, err
	}
	asks(ctx, v)
	return m, v, nil
}

// describe names sequences and maps as what they are sent as: JSON in BYTES.
func describe(specs []tensor.Spec) []*oip.ModelMetadataResponse_TensorMetadata {
	all := make([]*oip.ModelMetadataResponse_TensorMetadata, len(specs))
	for i, s := range specs {
		dtype, shape := wireType(s)
		all[i] = &oip.ModelMetadataResponse_TensorMetadata{Name: s.Name, Datatype: dtype.String(), Shape: shape}
	}
	return all
}

// wireType is the data type and shape under which a value travels.
func wireType(s tensor.Spec) (tensor.DType, []int64) {
	if s.Kind != tensor.KindTensor {
		return tensor.Bytes, []int64{-1}
	}
	return s.DType, s.Shape
}
