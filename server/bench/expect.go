package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"slipway/server/oip"
	"slipway/server/tensor"
)

// tolerance of an expected number, absolute and of its own size: batches and
// processors sum in different orders.
const tolerance = 1e-3

// Expected is the answer that a run must get. Its order of outputs is free.
type Expected struct{ outputs map[string]*tensor.Tensor }

// ReadExpected reads an infer response as the protocol has it in JSON.
func ReadExpected(body []byte) (*Expected, error) {
	outputs, err := readAnswer(body)
	if err != nil {
		return nil, fmt.Errorf("read the expected answer: %w", err)
	}
	if len(outputs) == 0 {
		return nil, errors.New("read the expected answer: it has no outputs")
	}
	return &Expected{outputs}, nil
}

// checker compares a connection's answers with what is expected; an answer
// whose bytes are those of the last right one is right. A nil Expected takes all.
type checker struct {
	expected *Expected
	decode   func(answer []byte) (map[string]*tensor.Tensor, error)
	right    []byte
}

func (c *checker) check(answer []byte) error {
	if c.expected == nil || c.right != nil && bytes.Equal(answer, c.right) {
		return nil
	}
	got, err := c.decode(answer)
	if err != nil {
		return fmt.Errorf("the answer can't be read: %w", err)
	}
	for name, want := range c.expected.outputs {
		if err := same(got[name], want); err != nil {
			return fmt.Errorf("output %q: %w", name, err)
		}
	}
	c.right = append(c.right[:0], answer...)
	return nil
}

func same(got, want *tensor.Tensor) error {
	if got == nil {
		return errors.New("is missing")
	}
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got %s %s, expected %s %s", got.DType, tensor.ShapeString(got.Shape), want.DType, tensor.ShapeString(want.Shape))
	}
	count, err := tensor.Count(want.Shape)
	if err != nil {
		return err
	}
	for i := range int(count) {
		a, _ := numberAt(got.Data, i)
		b, isNumber := numberAt(want.Data, i)
		if isNumber && !(math.Abs(a-b) <= tolerance*(1+math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b) || a == b) {
			return fmt.Errorf("element %d is %v, expected %v", i, a, b)
		}
		if !isNumber && !sameText(got.Data, want.Data, i) {
			return fmt.Errorf("element %d differs", i)
		}
	}
	return nil
}

func sameText(got, want any, i int) bool {
	switch w := want.(type) {
	case []string:
		return got.([]string)[i] == w[i]
	case []bool:
		return got.([]bool)[i] == w[i]
	}
	return false
}

// readAnswer reads a REST answer whose tensors are all in JSON.
func readAnswer(body []byte) (map[string]*tensor.Tensor, error) {
	var given questionJSON
	if err := decodeJSON(body, &given); err != nil {
		return nil, err
	}
	return given.tensors(nil)
}

// readBinaryAnswer reads one whose tensors may lie behind a header of JSON.
func readBinaryAnswer(body []byte, header int) (map[string]*tensor.Tensor, error) {
	if header <= 0 || header > len(body) {
		header = len(body)
	}
	var given questionJSON
	if err := decodeJSON(body[:header], &given); err != nil {
		return nil, err
	}
	return given.tensors(body[header:])
}

func (j questionJSON) tensors(raw []byte) (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	for _, out := range j.Outputs {
		size, isBinary := out.Parameters["binary_data_size"].(json.Number)
		if !isBinary {
			t, err := out.tensor()
			if err != nil {
				return nil, fmt.Errorf("output %q: %w", out.Name, err)
			}
			all[out.Name] = t
			continue
		}
		n, err := strconv.Atoi(size.String())
		if err != nil || n < 0 || n > len(raw) {
			return nil, fmt.Errorf("output %q: binary_data_size %s goes beyond the body", out.Name, size)
		}
		dtype, _ := tensor.ParseDType(out.Datatype)
		if all[out.Name], err = fromRaw(dtype, out.Shape, raw[:n]); err != nil {
			return nil, fmt.Errorf("output %q: %w", out.Name, err)
		}
		raw = raw[n:]
	}
	return all, nil
}

// readMessage reads a gRPC answer, raw or typed.
func readMessage(answer []byte) (map[string]*tensor.Tensor, error) {
	var m oip.ModelInferResponse
	if err := proto.Unmarshal(answer, &m); err != nil {
		return nil, err
	}
	all := map[string]*tensor.Tensor{}
	for i, out := range m.GetOutputs() {
		dtype, _ := tensor.ParseDType(out.GetDatatype())
		var err error
		if i < len(m.GetRawOutputContents()) {
			all[out.GetName()], err = fromRaw(dtype, out.GetShape(), m.GetRawOutputContents()[i])
		} else {
			all[out.GetName()], err = fromTyped(dtype, out.GetShape(), out.GetContents())
		}
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", out.GetName(), err)
		}
	}
	return all, nil
}

// fromTyped reads the one list that the data type says.
func fromTyped(dtype tensor.DType, shape []int64, c *oip.InferTensorContents) (*tensor.Tensor, error) {
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, err
	}
	var flat []any
	for _, v := range c.GetBoolContents() {
		flat = append(flat, v)
	}
	for _, v := range c.GetBytesContents() {
		flat = append(flat, string(v))
	}
	flat = appendNumbers(flat, c.GetIntContents(), c.GetUintContents())
	flat = appendNumbers(flat, c.GetInt64Contents(), c.GetUint64Contents())
	flat = appendNumbers(flat, c.GetFp32Contents(), c.GetFp64Contents())
	if int64(len(flat)) != count {
		return nil, fmt.Errorf("has %d elements, shape %s has %d", len(flat), tensor.ShapeString(shape), count)
	}
	data, err := parseElements(dtype, flat)
	return &tensor.Tensor{DType: dtype, Shape: shape, Data: data}, err
}

func appendNumbers[A, B any](flat []any, a []A, b []B) []any {
	for _, v := range a {
		flat = append(flat, json.Number(fmt.Sprint(v)))
	}
	for _, v := range b {
		flat = append(flat, json.Number(fmt.Sprint(v)))
	}
	return flat
}
