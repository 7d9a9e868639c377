package rows

import (
	"slices"

	"slipway/server/tensor"
)

// ApplyOptional returns copies of the specs of inputs that have a default, with the axes
// of their rows as far as the names of those of the other inputs tell. What is proved of a
// model is proved with the defaults, so no run has shown more.
func ApplyOptional(optional, inputs []tensor.Spec) []tensor.Spec {
	axes := make([]tensor.RowAxis, len(inputs))
	for i, in := range inputs {
		axes[i] = in.Rows
	}
	names := (&Model{Inputs: inputs}).rowsNames(axes)
	specs := slices.Clone(optional)
	for i, s := range specs {
		specs[i].Rows = optionalAxis(s, names)
	}
	return specs
}

// optionalAxis returns the axis of an input with a default that has one of the names of
// rows. Another input belongs to the whole run, unless its first axis may be the rows'.
func optionalAxis(s tensor.Spec, names []string) tensor.RowAxis {
	for _, name := range names {
		if axis := axisNamed(s, name); axis != 0 {
			return axis
		}
	}
	if len(s.Shape) == 0 || s.Shape[0] >= 0 || len(names) > 0 && nameOf(s, 0) != "" {
		return tensor.NoRows
	}
	return 0
}
