package tensor

import "fmt"

// Kind is one of the three sorts of value.
type Kind uint8

// The sorts of value that a model may take or give.
const (
	KindTensor Kind = iota
	KindSequence
	KindMap
)

// Spec is what a model says of one of its inputs or outputs. DType and Shape
// are set for tensors only. A dimension of -1 may be of any size. An empty shape
// is a scalar, or a tensor whose rank the model leaves open: ONNX does not tell
// the two apart, so only the run can check it.
type Spec struct {
	Name  string
	Kind  Kind
	DType DType
	Shape []int64
}

// Check returns an error if t is not a value of s. It names what came and what
// was expected.
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
