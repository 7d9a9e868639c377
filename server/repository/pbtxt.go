package repository

import (
	"fmt"
	"strconv"
	"strings"
)

// message is a message of protobuf's text format. A list is the field repeated.
type message []field

// field is one field with the line it stands on. Its value is text, or a message.
type field struct {
	name   string
	line   int
	text   string
	quoted bool // the text stood in quotation marks
	nested message
	isNest bool
}

// problem is an error about the field that names its line.
func (f *field) problem(format string, args ...any) error {
	return fmt.Errorf("line %d: %s: %w", f.line, f.name, fmt.Errorf(format, args...))
}

// maxNesting bounds how deep messages may lie in each other.
const maxNesting = 20

// parseText reads a document of protobuf's text format without a schema.
func parseText(body string) (message, error) {
	p := &textParser{rest: body, line: 1}
	m, err := p.fields(0, 0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	return m, nil
}

type textParser struct {
	rest string
	line int
}

// next skips white space and comments; 0 is the end.
func (p *textParser) next() byte {
	for p.rest != "" {
		switch c := p.rest[0]; c {
		case '\n':
			p.line++
			p.rest = p.rest[1:]
		case ' ', '\t', '\r':
			p.rest = p.rest[1:]
		case '#':
			end := strings.IndexByte(p.rest, '\n')
			if end < 0 {
				end = len(p.rest)
			}
			p.rest = p.rest[end:]
		default:
			return c
		}
	}
	return 0
}

func (p *textParser) take(c byte) bool {
	if p.next() != c || c == 0 {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// fields reads fields up to the closing character, or to the end if it is 0.
func (p *textParser) fields(closing byte, depth int) (message, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("messages lie more than %d deep in each other", maxNesting)
	}
	var m message
	for {
		switch c := p.next(); {
		case c == closing:
			p.take(closing)
			return m, nil
		case c == 0:
			return nil, fmt.Errorf("ends before %q", string(closing))
		}
		name, line := p.word(), p.line
		if name == "" {
			return nil, fmt.Errorf("got %q, expected the name of a field", p.rest[:1])
		}
		colon := p.take(':')
		values, err := p.values(name, line, colon, depth)
		if err != nil {
			return nil, err
		}
		m = append(m, values...)
		if !p.take(',') {
			p.take(';')
		}
	}
}

// values reads one value, or a list of them.
func (p *textParser) values(name string, line int, colon bool, depth int) (message, error) {
	if !p.take('[') {
		f, err := p.value(name, line, colon, depth)
		return message{f}, err
	}
	var m message
	for !p.take(']') {
		f, err := p.value(name, p.line, true, depth)
		if err != nil {
			return nil, err
		}
		m = append(m, f)
		if !p.take(',') && p.next() != ']' {
			return nil, fmt.Errorf("%s: expected , or ] in the list", name)
		}
	}
	return m, nil
}

func (p *textParser) value(name string, line int, colon bool, depth int) (field, error) {
	f := field{name: name, line: line}
	var err error
	switch c := p.next(); {
	case c == '{' || c == '<':
		p.take(c)
		f.isNest = true
		f.nested, err = p.fields(map[byte]byte{'{': '}', '<': '>'}[c], depth+1)
	case !colon:
		err = fmt.Errorf("%s: expected : and a value, or a message in braces", name)
	case c == '"' || c == '\'':
		f.quoted = true
		for c := p.next(); err == nil && (c == '"' || c == '\''); c = p.next() { // pieces side by side are one
			var piece string
			piece, err = p.quotedText(c)
			f.text += piece
		}
	default:
		if f.text = p.word(); f.text == "" {
			err = fmt.Errorf("%s: expected a value", name)
		}
	}
	return f, err
}

// word reads a name, a number or a constant.
func (p *textParser) word() string {
	p.next()
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '+' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *textParser) quotedText(mark byte) (string, error) {
	p.take(mark)
	var b strings.Builder
	for p.rest != "" && p.rest[0] != mark && p.rest[0] != '\n' {
		r, multibyte, tail, err := strconv.UnquoteChar(p.rest, mark)
		if err != nil {
			return "", fmt.Errorf("the text in quotation marks is not right at %.10q", p.rest)
		}
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
		p.rest = tail
	}
	if !p.take(mark) {
		return "", fmt.Errorf("a text lacks its closing %c", mark)
	}
	return b.String(), nil
}
