package tensor

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is one of the three kinds of value.
type Kind uint8

// The kinds of value of a model's inputs and outputs.
const (
	KindTensor Kind = iota
	KindSequence
	KindMap
)

// Spec describes an input or output of a model. DType and Shape are set for
// tensors only. A dimension of -1 may be of any size. An empty shape is a scalar,
// or a tensor whose rank the model leaves open: ONNX does not distinguish the
// two, so only the run can check it.
type Spec struct {
	Name  string
	Kind  Kind
	DType DType
	Shape []int64

	Dims     []string // names of the dimensions, "" where one has none; nil: none has
	Unranked bool     // an empty Shape is no scalar: the model leaves the rank open
	Rows     RowAxis  // where the rows are, as far as somebody has shown it
}

// Names returns the names of specs, in their order.
func Names(specs []Spec) []string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = s.Name
	}
	return all
}

// QuotedNames lists the names of specs for an error: "x", "y".
func QuotedNames(specs []Spec) string {
	all := Names(specs)
	for i, name := range all {
		all[i] = strconv.Quote(name)
	}
	return strings.Join(all, ", ")
}

// Check returns an error if t is not a value of s. The error names the
// actual and the expected value.
func (s Spec) Check(t *Tensor) error {
	if t.DType != s.DType {
		return fmt.Errorf("input %q: got datatype %s, expected %s", s.Name, t.DType, s.DType)
	}
	if len(s.Shape) == 0 {
		return nil
	}
	if len(t.Shape) != len(s.Shape) {
		return fmt.Errorf("input %q: got shape %s of rank %d, expected %s of rank %d",
			s.Name, ShapeString(t.Shape), len(t.Shape), ShapeString(s.Shape), len(s.Shape))
	}
	for i, want := range s.Shape {
		if want >= 0 && t.Shape[i] != want {
			return fmt.Errorf("input %q: got shape %s, expected %s: dimension %d is %d instead of %d",
				s.Name, ShapeString(t.Shape), ShapeString(s.Shape), i, t.Shape[i], want)
		}
	}
	return nil
}
