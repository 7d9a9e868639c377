// Package codec decodes the bodies of requests and responses into tensors and encodes them from
// tensors, for the server and for its clients alike.
//
// A body has one of three forms, and a response has the form of its request:
//
//	Rows     {"instances": [row, …]}         → {"predictions": [row, …]}
//	Columns  {"inputs": {name: array}}       → {"outputs": {name: array}}
//	OIP      {"inputs": [{"name": …}, …], …} → {"model_name": …, "outputs": [{"name": …}, …]}
//
// OIP is the Open Inference Protocol, version 2. In its binary extension the data of tensors
// follows the JSON. Requests are read in every form and written as OIP; responses are written in
// every form and read as OIP: that is what the server, and what golden answers and the load
// generator need.
//
// Most bytes of a body are numbers. Package number reads them from the body straight
// into a flat slice of the tensor's type and writes them straight from it: no value is
// boxed and there is no tree in between. The grammar around them is in this package, and is
// strictly that of JSON.
//
// An element of BYTES is a string, or {"b64": "…"} for bytes that are not UTF-8. A member that
// is null is as good as left out.
//
// Whatever is not understood and may change the meaning of a body is an error: an unknown
// key, a duplicate key, a number that does not fit. Only in the responses of other servers
// (DecodeServerResponse) are unknown keys skipped. The text of an error has the path of the
// value in the body, what stands there and what was expected:
//
//	instances[3].age: got a string, expected a whole number (INT64)
//
// It has the code fault.InvalidArgument and quotes 32 bytes of a value at most.
//
// The package must not know HTTP, gRPC, models beyond their inputs and outputs, or the configuration.
package codec

import "slipway/server/tensor"

// Form is one of the three forms of a body.
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

// Request is the content of a request body.
type Request struct {
	Form       Form
	Rows       int            // the number of instances; Form Rows only
	ID         string         // OIP "id"
	Inputs     []tensor.Named // always *tensor.Tensor; OIP: in the order of the body, else in that of the model
	Outputs    []string       // OIP: the requested outputs; nil means all
	Parameters map[string]any // OIP: string, bool, int64 or float64

	// Model and ModelVersion are those that an OIP body names, if it names any.
	Model, ModelVersion string
	// BinaryOutputs requests the outputs in binary, except those for which Binary states otherwise.
	BinaryOutputs bool
	Binary        map[string]bool
}

// Response is the content of a response body.
type Response struct {
	Model, Version, ID string
	Form               Form
	Rows               int // the number of instances of the request; Form Rows only
	BinaryOutputs      bool
	Binary             map[string]bool // as in Request
	Outputs            []tensor.Named
}
