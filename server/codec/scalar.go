package codec

import (
	"errors"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// parser reads the value that begins at a position of the body and returns the position behind it.
// Its error is one of package number or a problem.
type parser[T tensor.Element] func(body []byte, from int) (v T, end int, err error)

// parse reads the value at pos.
func parse[T tensor.Element](s *scanner, p parser[T]) (T, error) {
	v, end, err := p(s.buf, s.pos)
	if err != nil {
		return v, s.notParsed(tensor.DTypeOf[T](), end, err)
	}
	s.pos = end
	return v, nil
}

// notParsed is the error for a value at pos that its parser read up to end and refused.
func (s *scanner) notParsed(d tensor.DType, end int, err error) error {
	kind, exceeds := "a whole number", "does not fit"
	if d.IsFloat() {
		kind, exceeds = "a number", "overflows"
	}
	expected := kind + " (" + d.String() + ")"
	switch {
	case errors.Is(err, number.ErrSyntax):
		return s.notNumber(expected)
	case errors.Is(err, number.ErrRange):
		return problemf("%s %s %s", numberText(s.buf[s.pos:end]), exceeds, d)
	case errors.Is(err, number.ErrFraction):
		return problemf("got %s, expected %s", numberText(s.buf[s.pos:end]), expected)
	}
	return err
}

// notNumber is the error that something else stands at pos than a number.
func (s *scanner) notNumber(expected string) error {
	if s.next() == 0 {
		return s.want(expected)
	}
	switch token := s.token(); {
	case token[0] == '+':
		return problemf("got %s, expected %s: JSON's have no plus sign", numberText(token), expected)
	case len(token) > 1 && token[0] == '0' && token[1]-'0' <= 9, len(token) > 2 && token[0] == '-' && token[1] == '0' && token[2]-'0' <= 9:
		return problemf("got %s, expected %s: JSON's have no leading zeros", numberText(token), expected)
	}
	return s.want(expected)
}

func parseBool(body []byte, from int) (v bool, end int, err error) {
	s := scanner{buf: body, pos: from}
	v, err = boolean(&s)
	return v, s.pos, err
}

// boolean reads true or false.
func boolean(s *scanner) (bool, error) {
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, s.want("true or false (BOOL)")
}

// str reads a string that outlives the body.
func str(s *scanner) (string, error) {
	b, err := s.text()
	return string(b), err
}
