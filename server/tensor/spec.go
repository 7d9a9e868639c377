package tensor

import (
	"fmt"
	"slices"
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
// tensors only. A dimension of -1 may be of any size. The runtime takes any rank for an
// empty shape, so only the run can check it.
type Spec struct {
	Name  string
	Kind  Kind
	DType DType
	Shape []int64
	// Optional is that an input has a default, which a request that leaves it out runs with.
	Optional bool

	Dims     []string // names of the dimensions, "" where one has none; nil: none has
	Unranked bool     // the model leaves the rank open; without it an empty Shape is a scalar
	Rows     RowAxis  // where the rows are, as far as somebody has shown it
}

// meaningless are names that exporters give to every open dimension.
var meaningless = []string{"?", "none", "unk", "unknown", "null", "nan", "-1", "*", "any", "dynamic"}

// DimName returns the name of a dimension that says more than that its size is open,
// or empty.
func (s Spec) DimName(axis int) string {
	if axis >= len(s.Dims) || slices.Contains(meaningless, strings.ToLower(s.Dims[axis])) {
		return ""
	}
	return s.Dims[axis]
}

// Names returns the names of specs, in their order.
func Names(specs []Spec) []string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = s.Name
	}
	return all
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
