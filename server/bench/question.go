package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"slipway/server/tensor"
)

// Question is what a run asks over and over, apart from how a protocol writes it.
type Question struct {
	ID         string
	Parameters map[string]any
	Inputs     []tensor.Named // tensors, in the order that they are sent
	Outputs    []string       // none: all
}

// questionJSON is the protocol's infer request, and with outputs that have data its answer.
type questionJSON struct {
	ModelName    string         `json:"model_name,omitempty"`
	ModelVersion string         `json:"model_version,omitempty"`
	ID           string         `json:"id,omitempty"`
	Parameters   map[string]any `json:"parameters,omitempty"`
	Inputs       []tensorJSON   `json:"inputs,omitempty"`
	Outputs      []tensorJSON   `json:"outputs,omitempty"`
}

type tensorJSON struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype,omitempty"`
	Shape      []int64         `json:"shape,omitzero"`
	Parameters map[string]any  `json:"parameters,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

// ReadQuestion reads an infer request as the protocol has it in JSON.
func ReadQuestion(body []byte) (*Question, error) {
	var given questionJSON
	if err := decodeJSON(body, &given); err != nil {
		return nil, fmt.Errorf("read the question: %w", err)
	}
	if len(given.Inputs) == 0 {
		return nil, errors.New("read the question: it has no inputs; give an infer request of the Open Inference Protocol")
	}
	q := &Question{ID: given.ID, Parameters: given.Parameters}
	for i, in := range given.Inputs {
		if len(in.Parameters) > 0 {
			return nil, fmt.Errorf("read the question: inputs[%d] (%q) has parameters; put its elements into data", i, in.Name)
		}
		t, err := in.tensor()
		if err != nil {
			return nil, fmt.Errorf("read the question: inputs[%d] (%q): %w", i, in.Name, err)
		}
		q.Inputs = append(q.Inputs, tensor.Named{Name: in.Name, Value: t})
	}
	for _, out := range given.Outputs {
		q.Outputs = append(q.Outputs, out.Name)
	}
	return q, nil
}

// with is the question with one parameter more.
func (q *Question) with(parameter string, value any) *Question {
	changed := *q
	changed.Parameters = map[string]any{parameter: value}
	for name, other := range q.Parameters {
		if name != parameter {
			changed.Parameters[name] = other
		}
	}
	return &changed
}

// tensor reads the elements; how deep they are nested does not matter.
func (j tensorJSON) tensor() (*tensor.Tensor, error) {
	dtype, ok := tensor.ParseDType(j.Datatype)
	if !ok {
		return nil, fmt.Errorf("datatype %q is none of the protocol's", j.Datatype)
	}
	count, err := tensor.Count(j.Shape)
	if err != nil {
		return nil, err
	}
	var nested any
	if err := decodeJSON(j.Data, &nested); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	flat := flatten(nil, nested)
	if int64(len(flat)) != count {
		return nil, fmt.Errorf("data has %d elements, shape %s has %d", len(flat), tensor.ShapeString(j.Shape), count)
	}
	data, err := parseElements(dtype, flat)
	if err != nil {
		return nil, err
	}
	return &tensor.Tensor{DType: dtype, Shape: j.Shape, Data: data}, nil
}

func flatten(into []any, nested any) []any {
	list, ok := nested.([]any)
	if !ok {
		return append(into, nested)
	}
	for _, element := range list {
		into = flatten(into, element)
	}
	return into
}

// decodeJSON reads one document, all of whose keys must be known, and keeps
// the digits of its numbers.
func decodeJSON(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON document")
	}
	return nil
}
