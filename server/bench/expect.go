package bench

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"slipway/server/codec"
	"slipway/server/golden"
	"slipway/server/tensor"
)

// tolerance of an expected number: batches and processors sum in different orders.
var tolerance = golden.Tolerance{Absolute: 1e-3, Relative: 1e-3}

// ReadExpected reads the outputs of an inference response of the Open Inference Protocol in JSON.
func ReadExpected(body []byte) ([]tensor.Named, error) {
	r, err := codec.DecodeServerResponse(body, -1)
	if err == nil && len(r.Outputs) == 0 {
		err = errors.New("it has no outputs")
	}
	if err != nil {
		return nil, fmt.Errorf("read the expected response: %w", err)
	}
	return r.Outputs, nil
}

// checker compares a connection's responses with the expected outputs. A response
// whose bytes are those of the last right one is right. Without expected outputs all are.
type checker struct {
	expected []tensor.Named
	decode   func(response []byte) ([]tensor.Named, error)
	right    []byte
}

func (c *checker) check(response []byte) error {
	if c.expected == nil || c.right != nil && bytes.Equal(response, c.right) {
		return nil
	}
	got, err := c.decode(response)
	if err != nil {
		return fmt.Errorf("read the response: %w", err)
	}
	// A response may have outputs that nothing is expected of.
	got = slices.DeleteFunc(got, func(g tensor.Named) bool {
		return !slices.ContainsFunc(c.expected, func(e tensor.Named) bool { return e.Name == g.Name })
	})
	if err := golden.Equal(got, c.expected, tolerance); err != nil {
		return err
	}
	c.right = append(c.right[:0], response...)
	return nil
}
