package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// maxDepth limits the nesting of arrays. No tensor of ONNX Runtime has nearly as many dimensions.
const maxDepth = 32

// scanner reads JSON from buf; pos is the next byte.
type scanner struct {
	buf    []byte
	pos    int
	memory Memory
}

// next skips white space and returns the byte at pos, 0 at the end of the body.
func (s *scanner) next() byte {
	for s.pos < len(s.buf) {
		c := s.buf[s.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.pos++
	}
	return 0
}

// take skips white space and reads the byte c. Its error names what stands there instead.
func (s *scanner) take(c byte) error {
	if s.next() != c {
		return s.syntax(fmt.Sprintf("%q", string(c)))
	}
	s.pos++
	return nil
}

// word reads the literal w, if it stands at pos, and reports whether it does.
func (s *scanner) word(w string) bool {
	end := s.pos + len(w)
	if end > len(s.buf) || string(s.buf[s.pos:end]) != w || end < len(s.buf) && isWord(s.buf[end]) {
		return false
	}
	s.pos = end
	return true
}

// null skips white space and reads null, if that stands there, and reports whether it does.
func (s *scanner) null() bool { return s.next() == 'n' && s.word("null") }

// object reads an object and calls field for each key, to read its value. It does not look for
// duplicate keys.
func (s *scanner) object(field func(key []byte) error) error {
	if err := s.take('{'); err != nil {
		return err
	}
	if s.next() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.next() != '"' {
			return s.syntax("a key")
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.take(':'); err != nil {
			return in("."+printable(key), err)
		}
		if err := field(key); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.syntax(`"," or "}"`)
		}
	}
}

// array reads an array and calls element for each index, to read that element.
func (s *scanner) array(element func(i int) error) error {
	if err := s.take('['); err != nil {
		return err
	}
	if s.next() == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return at(i, err)
		}
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.syntax(`"," or "]"`)
		}
	}
}

// skip finds the end of a value and checks little: the value is read strictly later.
func (s *scanner) skip() error {
	for depth := 0; ; {
		switch c := s.next(); c {
		case 0, ',', ':':
			if c == 0 || depth == 0 {
				return s.syntax("a value")
			}
			s.pos++
			continue
		case '"':
			if _, err := s.text(); err != nil {
				return err
			}
		case '[', '{':
			s.pos++
			depth++
		case ']', '}':
			if depth == 0 {
				return s.syntax("a value")
			}
			s.pos++
			depth--
		default:
			s.pos += len(s.token())
		}
		if depth == 0 {
			return nil
		}
	}
}

// token returns the bytes from pos to the next delimiter, one at least.
func (s *scanner) token() []byte {
	rest := s.buf[s.pos:]
	if end := bytes.IndexAny(rest[1:], " \t\r\n,:[]{}\""); end >= 0 {
		return rest[:end+1]
	}
	return rest
}

// got describes what stands at pos. A remark on it may follow the position.
func (s *scanner) got() (what, remark string) {
	c := s.next()
	if s.pos == len(s.buf) {
		return "the end of the body", ""
	}
	switch c {
	case '"':
		return "a string", ""
	case '[':
		return "an array", ""
	case '{':
		return "an object", ""
	}
	token := s.token()
	switch string(token) {
	case "true", "false", "null":
		return string(token), ""
	}
	if json.Valid(token) {
		return numberText(token), ""
	}
	const short = 32
	if len(token) > short || bytes.ContainsFunc(token, func(r rune) bool { return r >= utf8.RuneSelf || !isWord(byte(r)) }) {
		return clip(token), ""
	}
	return string(token), ", which JSON does not have"
}

// numberText names a number without quotation marks: with them it would be a string.
func numberText(token []byte) string {
	const short = 32
	if len(token) > short {
		return "the number " + string(token[:short]) + "…"
	}
	return "the number " + string(token)
}

// want returns the error that something else than expected stands at pos.
func (s *scanner) want(expected string) error {
	got, remark := s.got()
	return problemf("got %s%s, expected %s", got, remark, expected)
}

// syntax is want with the position in the body, for errors that no path locates.
func (s *scanner) syntax(expected string) error {
	got, remark := s.got()
	return problemf("got %s at byte %d%s, expected %s", got, s.pos, remark, expected)
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.' || c == '-' || c == '+'
}
