package api

import (
	"encoding/json"

	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// What this server calls itself and its models.
const (
	serverName = "slipway"
	platform   = "onnxruntime_onnx"
	backend    = "onnxruntime"
)

// batchingRefused begins what is reported of a version that runs without the
// batching that was asked for.
const batchingRefused = "refused: "

// optionalInputs is the parameter that names the inputs that have a default: the
// protocol's metadata has nothing for it.
const optionalInputs = "optional_inputs"

// ServerMetadata describes the server with those of Triton's extensions that both
// protocols have.
func (a *API) ServerMetadata() *oip.ServerMetadataResponse {
	return &oip.ServerMetadataResponse{
		Name: serverName, Version: a.Version,
		Extensions: []string{"model_configuration", "model_repository", "statistics"},
	}
}

// ModelMetadata describes what a version takes and returns.
func (a *API) ModelMetadata(c *Call, model, version string) (*oip.ModelMetadataResponse, error) {
	m, v, err := a.choose(c, model, version)
	if err != nil {
		return nil, err
	}
	metadata := &oip.ModelMetadataResponse{
		Name: m.Name, Versions: m.Numbers(), Platform: platform,
		Inputs: describe(v.Accepts()), Outputs: describe(v.Outputs),
	}
	if v.BatchingRefused() != "" {
		state(metadata, "batching", batchingRefused+v.BatchingRefused())
	}
	if len(v.Optional) > 0 {
		list, _ := json.Marshal(tensor.Names(v.Optional)) // strings always have their JSON
		state(metadata, optionalInputs, string(list))
	}
	return metadata, nil
}

// state adds a parameter, which the protocol leaves to the server.
func state(m *oip.ModelMetadataResponse, name, text string) {
	if m.Parameters == nil {
		m.Parameters = map[string]*oip.InferParameter{}
	}
	m.Parameters[name] = &oip.InferParameter{ParameterChoice: &oip.InferParameter_StringParam{StringParam: text}}
}

// choose finds a model and one of its versions for a call that describes it.
func (a *API) choose(c *Call, model, version string) (*serving.Model, *serving.Version, error) {
	m, err := a.Catalog.Model(model)
	if err != nil {
		return nil, nil, err
	}
	v, err := m.Version(version)
	if err != nil {
		return nil, nil, err
	}
	c.chose(v)
	return m, v, nil
}

// Versions returns the loaded versions of all models, of one model, or the one
// version that is named. An empty model with a version is the default model.
func (a *API) Versions(c *Call, model, version string) ([]*serving.Version, error) {
	switch {
	case model == "" && version == "":
		var all []*serving.Version
		for _, m := range a.Catalog.Models() {
			all = append(all, m.Versions...)
		}
		return all, nil
	case version == "":
		m, err := a.Catalog.Model(model)
		if err != nil {
			return nil, err
		}
		return m.Versions, nil
	}
	_, v, err := a.choose(c, model, version)
	if err != nil {
		return nil, err
	}
	return []*serving.Version{v}, nil
}

func describe(specs []tensor.Spec) []*oip.ModelMetadataResponse_TensorMetadata {
	all := make([]*oip.ModelMetadataResponse_TensorMetadata, len(specs))
	for i, s := range specs {
		dtype, shape := wireType(s)
		all[i] = &oip.ModelMetadataResponse_TensorMetadata{Name: s.Name, Datatype: dtype.String(), Shape: shape}
	}
	return all
}

// wireType returns the data type and shape under which a value travels: sequences
// and maps are JSON in BYTES.
func wireType(s tensor.Spec) (tensor.DType, []int64) {
	if s.Kind != tensor.KindTensor {
		return tensor.Bytes, []int64{-1}
	}
	return s.DType, s.Shape
}
