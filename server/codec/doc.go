// Package codec turns JSON bodies into tensors and tensors into JSON bodies.
//
// It is the hot path: a body is mostly numbers, so they are read straight from
// the bytes into a flat slice of the tensor's own type, and written straight
// from it, with no value boxed and no tree in between. The grammar is JSON's,
// strictly; whatever changes the meaning of a request and is not understood (an
// unknown key, a duplicate one, a number that does not fit) is an error that
// names the field.
package codec

import "slipway/server/tensor"

// Form is one of the three ways to ask; an answer has the form of its question.
type Form uint8

// The forms of a body.
const (
	Rows    Form = iota // {"instances": [row, …]} → {"predictions": [row, …]}
	Columns             // {"inputs": {name: nested array}} → {"outputs": {…}}
	OIP                 // the Open Inference Protocol, version 2
)

// String names the form as the documentation does.
func (f Form) String() string {
	switch f {
	case Rows:
		return "rows"
	case Columns:
		return "columns"
	case OIP:
		return "oip"
	}
	return "unknown"
}

// Request is what a body asks.
type Request struct {
	Form       Form
	ID         string         // OIP "id"
	Inputs     []tensor.Named // always *tensor.Tensor; OIP: in the order of the body, else in that of the model
	Outputs    []string       // OIP: the outputs asked for; nil means all
	Parameters map[string]any // OIP: string, bool, int64 or float64

	// Model and ModelVersion are those that an OIP body names, if it does.
	Model, ModelVersion string
	// BinaryOutputs asks for the outputs in binary, but for those that Binary has otherwise.
	BinaryOutputs bool
	Binary        map[string]bool
}

// Response is what is to be answered.
type Response struct {
	Model, Version, ID string
	Form               Form
	Rows               int // how many instances were asked for; of Form Rows only
	BinaryOutputs      bool
	Binary             map[string]bool // as in Request
	Outputs            []tensor.Named
}
