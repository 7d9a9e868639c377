package modelconfig

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"slipway/server/oip"
)

// document is a config.pbtxt before interpretation: it shows which fields are set,
// including those with default values, and map keys that are given twice.
type document struct{ protoreflect.Message }

// unmarshal reads protobuf's text format into a document and into the message.
func unmarshal(text []byte) (document, *oip.ModelConfig, error) {
	d := document{dynamicpb.NewMessage(written)}
	if err := prototext.Unmarshal(text, d.Interface()); err != nil {
		return d, nil, syntaxError(string(text), err)
	}
	wire, err := proto.Marshal(d.Interface())
	if err != nil {
		return d, nil, err
	}
	m := &oip.ModelConfig{}
	return d, m, proto.Unmarshal(wire, m)
}

// written describes ModelConfig with every field's presence and with its maps as
// the lists of entries that they are on the wire: proto3 keeps neither a value
// that is the default nor a key's first value.
var written = func() protoreflect.MessageDescriptor {
	file := protodesc.ToFileDescriptorProto(oip.File_oip_oip_proto)
	file.Syntax, file.Service = new("proto2"), nil
	unmap(file.GetMessageType())
	described, err := protodesc.NewFile(file, nil)
	if err != nil {
		panic(fmt.Sprintf("describe config.pbtxt: %v", err)) // depends on generated code only
	}
	return described.Messages().ByName("ModelConfig")
}()

func unmap(messages []*descriptorpb.DescriptorProto) {
	for _, m := range messages {
		if m.GetOptions().GetMapEntry() {
			m.Options.MapEntry = nil
		}
		unmap(m.GetNestedType())
	}
}

// isMap reports whether a list holds the entries of what is a map in the message.
func isMap(f protoreflect.FieldDescriptor) bool {
	return f.IsList() && f.Message() != nil && strings.HasSuffix(string(f.Message().Name()), "Entry")
}

// keysOnce returns an error for each map whose key is missing or given twice.
func keysOnce(path string, m protoreflect.Message) (all []error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		at := path + string(f.Name())
		seen := map[string]bool{}
		for _, inner := range messagesOf(f, v) {
			if isMap(f) {
				key := inner.Descriptor().Fields().ByName("key")
				text := inner.Get(key).String()
				switch {
				case !inner.Has(key) || !inner.Has(inner.Descriptor().Fields().ByName("value")):
					all = append(all, fmt.Errorf("%s: each entry needs a key and a value", at))
				case seen[text]:
					all = append(all, fmt.Errorf("%s: %q is given twice", at, text))
				}
				seen[text] = true
			}
			all = append(all, keysOnce(at+".", inner)...)
		}
		return true
	})
	return all
}

// messagesOf lists the messages that a field holds.
func messagesOf(f protoreflect.FieldDescriptor, v protoreflect.Value) []protoreflect.Message {
	switch {
	case f.Message() == nil:
		return nil
	case !f.IsList():
		return []protoreflect.Message{v.Message()}
	}
	all := make([]protoreflect.Message, v.List().Len())
	for i := range all {
		all[i] = v.List().Get(i).Message()
	}
	return all
}

// has reports whether the document sets the field at a path of single messages.
func (d document) has(path string) bool {
	m := d.Message
	for name := range strings.SplitSeq(path, ".") {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if !m.Has(f) {
			return false
		}
		if f.Message() != nil {
			m = m.Get(f).Message()
		}
	}
	return true
}

// position matches the position in the library's error.
var position = regexp.MustCompile(`^(?:syntax error )?\(line (\d+):(\d+)\): `)

// name matches what may be a field's name in a line.
var name = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// syntaxError rewords the library's error, whose white space varies on purpose: it
// names the field before the position, without quoting a value, and adds the remedy.
func syntaxError(text string, err error) error {
	message := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto: ")
	found := position.FindStringSubmatch(message)
	if found == nil {
		return fmt.Errorf("%s: a brace, bracket or quotation mark is not closed", cut(message, longestMessage))
	}
	message = strings.TrimPrefix(message, found[0])
	field := fieldAt(text, found[1], found[2])
	return fmt.Errorf("line %s, column %s: %s%s, at %q", found[1], found[2], cut(message, longestMessage), advice(message, field), field)
}

// fieldAt returns the name of the last field of a line that begins at a column or
// before it, else the name at the column.
func fieldAt(text, line, column string) (field string) {
	at, _ := strconv.Atoi(line) // the library's own numbers
	from, _ := strconv.Atoi(column)
	lines := strings.SplitN(text, "\n", at+1)
	if at < 1 || at > len(lines) {
		return ""
	}
	for _, found := range name.FindAllStringIndex(lines[at-1], -1) {
		rest := strings.TrimLeft(lines[at-1][found[1]:], " \t")
		isField := rest != "" && strings.ContainsAny(rest[:1], ":{<[")
		if found[0] < from && isField || found[0] == from-1 && field == "" {
			field = lines[at-1][found[0]:found[1]]
		}
	}
	return cut(field, longestName)
}

// The library's messages and names may be as long as the file.
const longestMessage, longestName = 120, 40

func advice(message, field string) string {
	switch {
	case strings.HasPrefix(message, "unknown field"):
		return "; remove it, or correct its name"
	case strings.HasSuffix(message, "is already set"):
		return "; keep one of the two"
	case strings.Contains(message, "enum type") && field == "data_type":
		return "; write TYPE_FP32, TYPE_INT64, TYPE_STRING and the like"
	}
	return ""
}
