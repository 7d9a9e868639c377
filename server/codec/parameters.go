package codec

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"slipway/server/codec/number"
)

// parameters reads an object of scalars, or null. The check, which may be nil, is made of each.
func (r *tensorReader) parameters(check func(name string, v any) error) (map[string]any, error) {
	if r.null() {
		return nil, nil
	}
	if r.next() != '{' {
		return nil, r.want("an object of strings, numbers and booleans")
	}
	all := map[string]any{} // with nil for those that are null
	err := r.object(func(key []byte) error {
		name := string(key)
		step := "." + printable(key)
		if _, ok := all[name]; ok {
			return problemf("duplicate key %s", clip(name))
		}
		if r.null() {
			all[name] = nil
			return in(step, r.memory.charge(entryBytes+int64(len(key))))
		}
		v, err := r.scalar()
		if err == nil {
			err = extension(name, v)
		}
		if err == nil && check != nil {
			err = check(name, v)
		}
		if err == nil {
			err = r.memory.charge(entryBytes + int64(len(key)))
		}
		if err != nil {
			return in(step, err)
		}
		all[name] = v
		return nil
	})
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all, err
}

// scalar reads a string, a boolean or a number: an int64 if it was written as one.
func (r *tensorReader) scalar() (any, error) {
	switch c := r.next(); {
	case c == '"':
		return str(&r.scanner)
	case c == 't' || c == 'f':
		return boolean(&r.scanner)
	case c != '-' && c-'0' > 9:
		return nil, r.want("a string, a number or a boolean")
	}
	start := r.pos
	f, err := parse(&r.scanner, number.Float64)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(string(r.buf[start:r.pos]), 10, 64); err == nil {
		return n, nil
	}
	return f, nil
}

// scalarText returns a scalar as JSON has it.
func scalarText(v any) string {
	if text, ok := v.(string); ok {
		return clip(text)
	}
	return fmt.Sprint(v)
}

// extension checks the parameters that say how data is sent.
func extension(name string, v any) error {
	switch {
	case name == "binary_data" || name == "binary_data_output":
		if _, ok := v.(bool); !ok {
			return problemf("got %s, expected true or false", scalarText(v))
		}
	case name == "binary_data_size":
		if n, ok := v.(int64); !ok || n < 0 {
			return problemf("got %s, expected the number of bytes", scalarText(v))
		}
	case strings.HasPrefix(name, "shared_memory_"):
		return problemf("the shared memory extension is not served: send the data in the body")
	}
	return nil
}

// tensorParameters reads the parameters of a tensor.
func (r *tensorReader) tensorParameters() (map[string]any, error) {
	if r.role == &outputRole {
		return r.outputParameters()
	}
	return r.parameters(tensorParameter)
}

// tensorParameter refuses parameters of an input or a requested output that would
// change what the data means.
func tensorParameter(name string, v any) error {
	switch {
	case name == "classification" && v != int64(0):
		return problemf("the classification extension is not served: rank the scores at the client")
	case name == "content_type" && v == "base64":
		return problemf(`strings are not decoded by their content_type: send bytes as {"b64": "…"}`)
	}
	return nil
}
