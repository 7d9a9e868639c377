package golden

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// Case is a request and the outputs that belong to it.
type Case struct {
	Inputs    []tensor.Named // always *tensor.Tensor
	Outputs   []string       // nil: all
	Want      []tensor.Named
	Tolerance Tolerance
}

// Check returns nil if got is what the case wants, else where it differs first and by how much.
func (c Case) Check(got []tensor.Named) error { return Equal(got, c.Want, c.Tolerance) }

// Read reads the file at path, whose requests and responses must be those of a model with these inputs
// and outputs.
func Read(path string, inputs, outputs []tensor.Spec) ([]Case, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read golden answers: %w", err)
	}
	cases, err := Parse(file, inputs, outputs)
	if err != nil {
		return nil, fmt.Errorf("read golden answers of %s: %w", path, err)
	}
	return cases, nil
}

// Parse reads the content of a file as Read does.
func Parse(file []byte, inputs, outputs []tensor.Spec) ([]Case, error) {
	all := Lines(file)
	if len(all) == 0 {
		return nil, errors.New("no line in it; record one with slipway predict --record, or delete the file")
	}
	cases := make([]Case, len(all))
	for i, text := range all {
		var err error
		if cases[i], err = parse(text, inputs, outputs); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return cases, nil
}

func parse(text []byte, inputs, outputs []tensor.Spec) (Case, error) {
	line, err := ParseLine(text)
	if err != nil {
		return Case{}, err
	}
	c := Case{Tolerance: line.Tolerance}
	request, err := codec.DecodeOIP(line.Request, codec.Signature{Inputs: inputs, Outputs: outputs})
	if err != nil {
		return c, fmt.Errorf("request: %w", err)
	}
	c.Inputs, c.Outputs = request.Inputs, request.Outputs
	if err := checkInputs(c.Inputs, inputs); err != nil {
		return c, fmt.Errorf("request: %w", err)
	}
	requested, err := selected(c.Outputs, outputs)
	if err != nil {
		return c, fmt.Errorf("request: %w", err)
	}
	response, err := codec.DecodeResponse(line.Response, requested)
	if err != nil {
		return c, fmt.Errorf("response: %w", err)
	}
	c.Want = response.Outputs
	for _, spec := range requested {
		if find(c.Want, spec.Name) < 0 {
			return c, fmt.Errorf("response: missing output %q", spec.Name)
		}
	}
	return c, nil
}

func checkInputs(given []tensor.Named, inputs []tensor.Spec) error {
	for _, spec := range inputs {
		i := find(given, spec.Name)
		if i < 0 {
			return fmt.Errorf("missing input %q", spec.Name)
		}
		t, ok := given[i].Value.(*tensor.Tensor)
		if !ok {
			return fmt.Errorf("input %q is no tensor", spec.Name)
		}
		if err := spec.Check(t); err != nil {
			return err
		}
	}
	return nil
}

// selected returns the specs of the requested outputs.
func selected(requested []string, outputs []tensor.Spec) ([]tensor.Spec, error) {
	if requested == nil {
		return outputs, nil
	}
	all := make([]tensor.Spec, len(requested))
	for i, name := range requested {
		at := slices.IndexFunc(outputs, func(s tensor.Spec) bool { return s.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("outputs[%d].name: unknown output %q, the model has %s", i, name, tensor.QuotedNames(outputs))
		}
		all[i] = outputs[at]
	}
	return all, nil
}

func find(all []tensor.Named, name string) int {
	return slices.IndexFunc(all, func(n tensor.Named) bool { return n.Name == name })
}
