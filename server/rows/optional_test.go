package rows_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/rows"
	"slipway/server/tensor"
)

// Of inputs with a default only names tell where their rows are.
func TestApplyOptional(t *testing.T) {
	x := spec("x", []int64{-1, -1, 2}, "time", "batch", "")
	x.Rows = at(1)
	unnamed := spec("x", []int64{-1, 2})
	unnamed.Rows = at(0)
	for name, test := range map[string]struct {
		input, optional tensor.Spec
		want            tensor.RowAxis
	}{
		"a state of each row":      {x, spec("h", []int64{1, -1, 3}, "", "batch", ""), at(1)},
		"a number of each row":     {x, spec("h", []int64{-1}, "batch"), at(0)},
		"a weight of each class":   {x, spec("h", []int64{-1}, "classes"), no},
		"twice the rows":           {x, spec("h", []int64{-1, -1}, "batch", "batch"), no},
		"a number":                 {x, spec("h", nil), no},
		"of a fixed size":          {x, spec("h", []int64{3}), no},
		"without a name":           {x, spec("h", []int64{-1}), 0},
		"where rows have no name":  {unnamed, spec("h", []int64{-1}, "batch"), 0},
		"where nothing has a name": {unnamed, spec("h", []int64{-1, 2}), 0},
	} {
		got := rows.ApplyOptional([]tensor.Spec{test.optional}, []tensor.Spec{test.input})
		assert.Equal(t, test.want, got[0].Rows, name)
	}
}
