package rows

import (
	"reflect"
	"slices"
	"strings"

	"slipway/server/tensor"
)

// hasLength reports whether an open axis has no rows.
func (s *sampler) hasLength() bool {
	for i, in := range s.model.Inputs {
		for _, axis := range openAxes(in) {
			if s.axes[i] != tensor.RowsAt(axis) {
				return true
			}
		}
	}
	return false
}

// split returns the rows of a request; none if its inputs do not have as many.
func (s *sampler) split(inputs []*tensor.Tensor) (rows [][]*tensor.Tensor) {
	count := -1
	for i, axis := range s.axes {
		if axis == tensor.NoRows {
			continue
		}
		n, ok := tensor.RowsOf(inputs[i], axis.Axis())
		if !ok || count >= 0 && n != count {
			return nil
		}
		count = n
	}
	for r := range count {
		row := slices.Clone(inputs)
		for i, axis := range s.axes {
			if axis != tensor.NoRows {
				row[i] = inputs[i].Slice(axis.Axis(), r, r+1)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// widens reports whether an input's integers may be large: tokens or categories, of
// which a request has any number. Where the shape is fixed they may be a size or a count,
// and a mask has 0 and 1.
func widens(s tensor.Spec) bool {
	return s.DType.IsInteger() && len(s.Shape) > 0 && len(openAxes(s)) > 0 && !strings.Contains(strings.ToLower(s.Name), "mask")
}

// shapes returns the shapes of one row, with that length for each open axis.
func (s *sampler) shapes(length int64) [][]int64 {
	all := make([][]int64, len(s.model.Inputs))
	for i, in := range s.model.Inputs {
		shape := slices.Clone(in.Shape)
		for axis, d := range shape {
			if d < 0 {
				shape[axis] = length
			}
		}
		if s.axes[i] != tensor.NoRows {
			if len(shape) == 0 {
				shape = []int64{1}
			}
			shape[s.axes[i].Axis()] = 1
		}
		all[i] = shape
	}
	return all
}

// shapesLike returns the shapes of one row of given inputs.
func (s *sampler) shapesLike(inputs []*tensor.Tensor) [][]int64 {
	all := make([][]int64, len(inputs))
	for i, t := range inputs {
		all[i] = slices.Clone(t.Shape)
		if axis := s.axes[i]; axis != tensor.NoRows && axis.Axis() < len(t.Shape) {
			all[i][axis.Axis()] = 1
		}
	}
	return all
}

// distinct reports whether the first two rows differ: of equal ones nobody sees that
// they were mixed up.
func (s *sample) distinct() bool {
	return len(s.rows) > 1 && !reflect.DeepEqual(s.rows[0], s.rows[1])
}

func sameShapes(a, b []*tensor.Tensor) bool {
	return slices.EqualFunc(a, b, func(a, b *tensor.Tensor) bool { return slices.Equal(a.Shape, b.Shape) })
}
