package bench

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"

	"slipway/server/codec"
	"slipway/server/names"
	"slipway/server/tensor"
)

// ReadRequest reads an inference request of the Open Inference Protocol in JSON.
func ReadRequest(body []byte) (*codec.Request, error) {
	r, err := codec.DecodeRequest(body)
	if err == nil && len(r.Inputs) == 0 {
		err = errors.New("it has no inputs; give an inference request of the Open Inference Protocol")
	}
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return r, nil
}

// withParameter returns a copy of r that has one parameter more.
func withParameter(r *codec.Request, name string, value any) *codec.Request {
	changed := *r
	changed.Parameters = map[string]any{}
	maps.Copy(changed.Parameters, r.Parameters)
	changed.Parameters[name] = value
	return &changed
}

// Synthetic makes a request up from a model's metadata.
type Synthetic struct {
	Shapes map[string][]int64 // by input, for the dimensions that the metadata leaves open
	Batch  int64              // the open first dimension; 0 is 1
	Zeros  bool               // else random data
	Seed   uint64             // the same seed makes the same request
}

// integers bounds random integers: what is below it is a valid token or category of most models.
const integers = 100

// Request returns a request with data for every input of the model.
func (s Synthetic) Request(inputs []tensor.Spec) (*codec.Request, error) {
	known := map[string]bool{}
	for _, spec := range inputs {
		known[spec.Name] = true
	}
	for name := range s.Shapes {
		if !known[name] {
			return nil, fmt.Errorf("the model has no input %q to give a shape to, only %s", name, names.List(name, tensor.Names(inputs)))
		}
	}
	generator := tensor.Generator{Integers: integers}
	if !s.Zeros {
		generator.Random = rand.New(rand.NewPCG(s.Seed, 0))
	}
	r := &codec.Request{Form: codec.OIP}
	for _, spec := range inputs {
		shape, err := s.shape(spec)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", spec.Name, err)
		}
		t, err := generator.Tensor(spec.DType, shape)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", spec.Name, err)
		}
		r.Inputs = append(r.Inputs, tensor.Named{Name: spec.Name, Value: t})
	}
	return r, nil
}

// shape returns the given shape of an input, else the metadata's with its open dimensions closed.
func (s Synthetic) shape(spec tensor.Spec) ([]int64, error) {
	given, ok := s.Shapes[spec.Name]
	if !ok {
		return spec.Closed(s.Batch), nil
	}
	if rank := len(spec.Shape); rank > 0 && len(given) != rank {
		return nil, fmt.Errorf("shape %s is not of rank %d as the model's %s",
			tensor.ShapeString(given), rank, tensor.ShapeString(spec.Shape))
	}
	return given, nil
}
