package codec

import "slipway/server/tensor"

// Signature is what a body is read for: the inputs and outputs of a model, by
// which names and data types are checked. Without any inputs the caller must check
// them.
type Signature struct {
	Inputs, Outputs []tensor.Spec
	Memory          Memory
}

// Memory is charged for what is made of a body, in bytes, before it is made: three
// bytes of JSON may become a string of sixteen. Its error ends the reading. A nil
// Memory is charged nothing.
type Memory func(bytes int64) error

func (m Memory) charge(bytes int64) error {
	if m == nil {
		return nil
	}
	return m(bytes)
}

// What Go takes for an entry of a map with a short key, and for the head of a string.
const (
	entryBytes  = 128
	stringBytes = 16
)
