// Package rows finds out where a model's rows are: along which axis of each input and
// output the parts lie that belong to one instance each. Most models have them along the
// first axis; a recurrent network's states have them behind the layers, a line
// recognizer's output behind the time, and a threshold or a list of labels has none.
//
// What a model declares is no proof: LightGBM declares one label and returns one for each
// row, and an output whose first axis happens to be as long as the number of instances
// has been taken for rows. So Learn runs the model with one row, with two and with
// three, and looks which axis follows, and whether its parts are what the rows give by
// themselves. Names that inputs and outputs share tell what to try first. Verify does
// the same for batching, where the responses must not only be in rows but be equal.
//
// Stack and Unstack bring the instances of a request into the model's axes and its
// outputs into rows.
//
// The package must not know a protocol, the catalog or the runtime: it is given the
// model's inputs and outputs and a function that runs it.
package rows

import (
	"context"

	"slipway/server/golden"
	"slipway/server/tensor"
)

// Model is a model that is asked where its rows are.
type Model struct {
	Inputs, Outputs []tensor.Spec
	Run             func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error)

	// Golden are requests that the model is known to answer, Shapes inputs of shapes that
	// it takes. Both may be empty.
	Golden []Example
	Shapes [][]*tensor.Tensor
	// OnlyGiven is set for a model that must not be run with inputs that were made up.
	OnlyGiven bool
}

// Example is a request, and how far the numbers of its response may be off.
type Example struct {
	Inputs    []*tensor.Tensor // in the model's order
	Tolerance golden.Tolerance
}

// Axes are where the rows of each input and output are, in the model's order.
type Axes struct{ Inputs, Outputs []tensor.RowAxis }

// Apply returns copies of specs that have the axes of their rows.
func Apply(specs []tensor.Spec, axes []tensor.RowAxis) []tensor.Spec {
	applied := make([]tensor.Spec, len(specs))
	for i, s := range specs {
		if i < len(axes) {
			s.Rows = axes[i]
		}
		applied[i] = s
	}
	return applied
}
