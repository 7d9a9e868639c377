package codec

import (
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string. The result may be a part of the body: copy it to keep it.
func (s *scanner) text() ([]byte, error) {
	if s.next() != '"' {
		return nil, s.want("a string")
	}
	start := s.pos + 1
	for i := start; i < len(s.buf); i++ {
		switch c := s.buf[i]; {
		case c == '"':
			s.pos = i + 1
			return checked(s.buf[start:i])
		case c == '\\':
			return s.escaped(start, i)
		case c < ' ':
			return nil, problemf("a string has the control character %#02x at byte %d; write it as an escape", c, i)
		}
	}
	return nil, problemf("a string that begins at byte %d has no end", s.pos)
}

// escaped reads the rest of a string, whose first backslash is at i.
func (s *scanner) escaped(start, i int) ([]byte, error) {
	out := slices.Clone(s.buf[start:i])
	for i < len(s.buf) {
		c := s.buf[i]
		i++
		switch {
		case c == '"':
			s.pos = i
			return checked(out)
		case c < ' ':
			return nil, problemf("a string has the control character %#02x at byte %d; write it as an escape", c, i-1)
		case c != '\\':
			out = append(out, c)
			continue
		}
		if i == len(s.buf) {
			break
		}
		c = s.buf[i]
		i++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, n := s.escape(i)
			if n == 0 {
				return nil, problemf("a string has a bad \\u escape or a lone surrogate at byte %d", i-2)
			}
			out = utf8.AppendRune(out, r)
			i += n
		default:
			return nil, problemf("a string has the unknown escape %s at byte %d", clip(s.buf[i-2:i]), i-2)
		}
	}
	return nil, problemf("a string that begins at byte %d has no end", s.pos)
}

// escape reads the four digits after \u at i, and the second half of a surrogate pair. n
// is the number of bytes they take, 0 when they are not a character. A lone surrogate
// is not one: the model would be run on another text if U+FFFD replaced it.
func (s *scanner) escape(i int) (r rune, n int) {
	high, ok := s.hex(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(high) {
		return high, 4
	}
	if i+6 > len(s.buf) || s.buf[i+4] != '\\' || s.buf[i+5] != 'u' {
		return 0, 0
	}
	low, ok := s.hex(i + 6)
	if !ok {
		return 0, 0
	}
	if r = utf16.DecodeRune(high, low); r == utf8.RuneError {
		return 0, 0
	}
	return r, 10
}

func (s *scanner) hex(i int) (rune, bool) {
	if i+4 > len(s.buf) {
		return 0, false
	}
	var r rune
	for _, c := range s.buf[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func checked(b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return nil, problemf("a string is not valid UTF-8")
	}
	return b, nil
}

// printable returns a key in the form that a path shows.
func printable(key []byte) string {
	if len(key) > 32 {
		return clip(key)
	}
	quoted := strconv.Quote(string(key))
	return quoted[1 : len(quoted)-1]
}
