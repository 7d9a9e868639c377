package codec

import (
	"strings"
	"unicode/utf8"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// CheckKeys returns an error for outputs that no form of a response can carry: keys of maps, which
// are JSON in every form, that are not UTF-8.
func CheckKeys(outputs []tensor.Named) error {
	for _, out := range outputs {
		if key, wrong := wrongKey(out.Value); wrong {
			return fault.New(fault.InvalidArgument,
				"output %s is a map with the key %s, which is not UTF-8: request the other outputs, or export the model without ZipMap", clip(out.Name), clip(key))
		}
	}
	return nil
}

func wrongKey(v tensor.Value) (key string, wrong bool) {
	switch v := v.(type) {
	case tensor.Sequence:
		for _, element := range v {
			if key, wrong := wrongKey(element); wrong {
				return key, true
			}
		}
	case tensor.Map:
		keys, _ := v.Keys.Data.([]string)
		for _, key := range keys {
			if !utf8.ValidString(key) {
				return key, true
			}
		}
	}
	return "", false
}

// Documents returns the elements of a sequence, or a map alone, as JSON documents in
// BYTES: the protocol has no type for them.
func Documents(v tensor.Value) *tensor.Tensor {
	list, ok := v.(tensor.Sequence)
	if !ok {
		list = tensor.Sequence{v}
	}
	all := make([]string, len(list))
	var document []byte
	for i, e := range list {
		document = appendValue(document[:0], e)
		all[i] = string(document)
	}
	return &tensor.Tensor{DType: tensor.Bytes, Shape: []int64{int64(len(all))}, Data: all}
}

// FromDocuments is the inverse of Documents: a document that is an object becomes a map, any other a
// tensor. JSON leaves the types of keys and numbers open: keys are strings, and numbers are
// INT64 if all of them are whole, else FP64.
func FromDocuments(t *tensor.Tensor) (tensor.Sequence, error) {
	texts, ok := t.Data.([]string)
	if !ok {
		return nil, problemf("got %s, expected JSON documents as BYTES", t.DType)
	}
	sequence := make(tensor.Sequence, len(texts))
	for i, text := range texts {
		s := scanner{buf: []byte(text)}
		var err error
		if sequence[i], err = s.jsonDocument(); err != nil {
			return nil, at(i, problemf("read a JSON document: %s", strings.TrimPrefix(err.Error(), ".")))
		}
	}
	return sequence, nil
}

func (s *scanner) jsonDocument() (v tensor.Value, err error) {
	if s.next() == '{' {
		v, err = s.mapping()
	} else {
		v, err = s.guessed(*s, false, func(b builder) error { return b.value(s, 0) })
	}
	if err == nil && s.next() != 0 {
		return nil, problemf("something follows the value at byte %d", s.pos)
	}
	return v, err
}

// mapping reads an object of single values.
func (s *scanner) mapping() (tensor.Value, error) {
	var keys []string
	values, err := s.guessed(s.firstValue(), true, func(b builder) error {
		keys = keys[:0]
		seen := map[string]bool{}
		return s.object(func(key []byte) error {
			if seen[string(key)] {
				return problemf("duplicate key %s", clip(key))
			}
			seen[string(key)] = true
			keys = append(keys, string(key))
			return in("."+printable(key), b.value(s, 1))
		})
	})
	if err != nil {
		return nil, err
	}
	if len(values.Shape) != 1 {
		return nil, problemf("the values of the object are arrays")
	}
	values.Shape[0] = int64(len(keys))
	return tensor.Map{Keys: &tensor.Tensor{DType: tensor.Bytes, Shape: values.Shape, Data: keys}, Values: values}, nil
}

// firstValue returns a scanner at the first value of the object that comes next.
func (s *scanner) firstValue() scanner {
	ahead := *s
	ahead.pos++
	if _, err := ahead.text(); err == nil && ahead.next() == ':' {
		ahead.pos++
	}
	return ahead
}

// guessed reads a tensor whose elements have the first type that fits them all. The first of the
// elements, which comes next for ahead, leaves some of the types.
func (s *scanner) guessed(ahead scanner, rows bool, read func(builder) error) (*tensor.Tensor, error) {
	for ahead.next() == '[' {
		ahead.pos++
	}
	types := []tensor.DType{tensor.Int64, tensor.FP64}
	switch c := ahead.next(); {
	case c == '"':
		types = []tensor.DType{tensor.FP64, tensor.Bytes}
	case c == 't' || c == 'f':
		types = []tensor.DType{tensor.Bool}
	case ahead.isBase64():
		types = []tensor.DType{tensor.Bytes}
	}
	from := s.pos
	var err error
	for _, d := range types {
		s.pos = from
		var b builder
		if b, err = newLenientBuilder(d, s, rows); err != nil {
			return nil, err
		}
		if err = read(b); err == nil {
			return b.tensor(), nil
		}
	}
	return nil, err
}
