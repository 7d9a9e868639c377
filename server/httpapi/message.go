package httpapi

import (
	"encoding/json"
	"errors"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// message is a message of the protocol as REST has it: with the names and in the
// order of the .proto. Whole numbers are JSON numbers; protojson would make strings
// of those of 64 bits, which Triton's clients do not read.
type message struct{ proto.Message }

// MarshalJSON writes the message.
func (m message) MarshalJSON() ([]byte, error) { return appendMessage(nil, m.ProtoReflect()) }

// messages are those of a list.
func messages[M proto.Message](list []M) []message {
	all := make([]message, len(list))
	for i, m := range list {
		all[i] = message{m}
	}
	return all
}

// written are the fields that are written even if they are zero or empty: clients
// read them without a check whether they are there.
var written = map[protoreflect.Name]bool{
	// ModelMetadataResponse
	"shape": true,
	// ModelConfig
	"max_batch_size": true, "dims": true, "preferred_batch_size": true, "max_queue_delay_microseconds": true,
	"priority_levels": true, "default_priority_level": true, "timeout_action": true,
	"default_timeout_microseconds": true, "max_queue_size": true,
	// ModelStatisticsResponse
	"model_stats": true, "last_inference": true, "inference_count": true, "execution_count": true,
	"batch_stats": true, "batch_size": true, "count": true, "ns": true,
}

func appendMessage(b []byte, m protoreflect.Message) ([]byte, error) {
	b = append(b, '{')
	var err error
	for i, fields := 0, m.Descriptor().Fields(); i < fields.Len(); i++ {
		f := fields.Get(i)
		if !m.Has(f) && !written[f.Name()] {
			continue
		}
		b = appendKey(b, string(f.Name()))
		if b, err = appendField(b, f, m.Get(f)); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendField(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) (_ []byte, err error) {
	switch {
	case f.IsMap():
		all := map[string]json.RawMessage{} // which are written in the order of their keys
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			all[k.String()], err = appendValue(nil, f.MapValue(), v)
			return err == nil
		})
		text, jsonErr := json.Marshal(all)
		return append(b, text...), errors.Join(err, jsonErr)
	case f.IsList():
		b = append(b, '[')
		for i, list := 0, v.List(); i < list.Len(); i++ {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, f, list.Get(i)); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	}
	return appendValue(b, f, v)
}

func appendValue(b []byte, f protoreflect.FieldDescriptor, v protoreflect.Value) ([]byte, error) {
	value := v.Interface()
	switch f.Kind() {
	case protoreflect.MessageKind:
		return appendMessage(b, v.Message())
	case protoreflect.EnumKind:
		value = f.Enum().Values().ByNumber(v.Enum()).Name()
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

// appendKey appends a key of the object that b ends in.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	text, _ := json.Marshal(key) // a string always has its JSON
	return append(append(b, text...), ':')
}
