package golden

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"slipway/server/codec"
	"slipway/server/names"
	"slipway/server/tensor"
)

// Case is a request and the outputs that belong to it.
type Case struct {
	Inputs    []tensor.Named // always *tensor.Tensor
	Outputs   []string       // nil: all
	Want      []tensor.Named
	Tolerance Tolerance
	Recorded  Recorded
}

// Check returns nil if got is what the case wants, else where it differs first and by how much.
func (c Case) Check(got []tensor.Named) error { return Equal(got, c.Want, c.Tolerance) }

// What a file may have. All of its cases are kept until they have been compared.
const (
	maxFileBytes = 64 << 20
	maxLineBytes = 16 << 20  // an image of more than a million numbers, with its response
	maxLines     = 10_000    // each is a run at each load
	maxDecoded   = 256 << 20 // of the tensors of all cases: "0," becomes eight bytes
)

// Read reads golden answers, whose requests and responses must be those of a model with these inputs
// and outputs. No error quotes a line.
func Read(file io.Reader, inputs, outputs []tensor.Spec) ([]Case, error) {
	limited := &io.LimitedReader{R: file, N: maxFileBytes + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, maxLineBytes+1)
	decoded := int64(0)
	memory := func(bytes int64) error {
		if decoded += bytes; decoded > maxDecoded {
			return fmt.Errorf("the tensors have more than %d bytes in all, the limit of a file", maxDecoded)
		}
		return nil
	}
	var cases []Case
	number, blank := 0, 0
	for lines.Scan() {
		if number++; number > maxLines {
			return nil, fmt.Errorf("more than %d lines, the limit of a file", maxLines)
		}
		if len(bytes.TrimSpace(lines.Bytes())) == 0 { // white space may follow the last line
			blank = cmp.Or(blank, number)
			continue
		}
		if blank > 0 {
			return nil, fmt.Errorf("line %d: is empty", blank)
		}
		c, err := parse(lines.Bytes(), codec.Signature{Inputs: inputs, Outputs: outputs, Memory: memory})
		if limited.N == 0 {
			break // the line is cut
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		cases = append(cases, c)
	}
	switch err := lines.Err(); {
	case limited.N == 0:
		return nil, fmt.Errorf("more than %d bytes, the limit of a file", maxFileBytes)
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("line %d: more than %d bytes, the limit of a line", number+1, maxLineBytes)
	case err != nil:
		return nil, err
	case len(cases) == 0:
		return nil, errors.New("no line in it; record one with slipway predict --record, or delete the file")
	}
	return cases, nil
}

func parse(text []byte, s codec.Signature) (Case, error) {
	line, err := ParseLine(text)
	if err != nil {
		return Case{}, err
	}
	c := Case{Tolerance: line.Tolerance, Recorded: line.Recorded}
	request, err := codec.DecodeOIP(line.Request, s)
	if err != nil {
		return c, fmt.Errorf("request: %w", err)
	}
	c.Inputs, c.Outputs = request.Inputs, request.Outputs
	if err := checkInputs(c.Inputs, s.Inputs); err != nil {
		return c, fmt.Errorf("request: %w", err)
	}
	requested, err := selected(c.Outputs, s.Outputs)
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
		if i < 0 && spec.Optional {
			continue
		}
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
			return nil, fmt.Errorf("outputs[%d].name: unknown output %q, the model has %s", i, name, names.List(name, tensor.Names(outputs)))
		}
		all[i] = outputs[at]
	}
	return all, nil
}

func find(all []tensor.Named, name string) int {
	return slices.IndexFunc(all, func(n tensor.Named) bool { return n.Name == name })
}
