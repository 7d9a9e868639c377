package modelconfig

import (
	"errors"
	"fmt"
	"strings"
)

// message is a message of protobuf's text format. A list is the field repeated.
type message []field

// field is one field with the line it stands on. Its value is a word, a text
// that stood in quotation marks, or a message.
type field struct {
	name   string
	path   string // with the names of the messages around it
	line   int
	kind   kind
	text   string
	nested message
}

type kind uint8

const (
	wordKind kind = iota // a number or a constant
	textKind
	messageKind
)

// problem is an error about the field that names its line.
func (f *field) problem(format string, args ...any) error {
	return fmt.Errorf("line %d: %s: "+format, append([]any{f.line, f.path}, args...)...)
}

// maxNesting bounds how deep messages may lie in each other.
const maxNesting = 20

// parseText reads a document of protobuf's text format without a schema.
func parseText(body string) (message, error) {
	p := &textParser{rest: body, line: 1}
	m, err := p.fields("", 0, 0)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	return m, nil
}

// textParser reads what is left of a document.
type textParser struct {
	rest string
	line int
}

// skip passes over white space and comments and tells whether something follows.
func (p *textParser) skip() bool {
	for p.rest != "" {
		switch p.rest[0] {
		case '\n':
			p.line++
			p.rest = p.rest[1:]
		case ' ', '\t', '\r', '\v', '\f':
			p.rest = p.rest[1:]
		case '#':
			_, after, more := strings.Cut(p.rest, "\n")
			p.rest = after
			if more {
				p.line++
			}
		default:
			return true
		}
	}
	return false
}

// at tells whether one of the characters comes next.
func (p *textParser) at(chars string) bool {
	return p.skip() && strings.IndexByte(chars, p.rest[0]) >= 0
}

// take passes over c if it comes next.
func (p *textParser) take(c byte) bool {
	if !p.skip() || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// fields reads fields up to the closing character, or to the end if it is 0.
func (p *textParser) fields(path string, closing byte, depth int) (message, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("messages lie more than %d deep in each other", maxNesting)
	}
	var m message
	for {
		if !p.skip() {
			if closing != 0 {
				return nil, fmt.Errorf("%s: ends before its %c", strings.TrimSuffix(path, "."), closing)
			}
			return m, nil
		}
		if closing != 0 && p.take(closing) {
			return m, nil
		}
		name := p.word()
		if name == "" {
			return nil, fmt.Errorf("got %q, expected the name of a field", p.rest[:1])
		}
		values, err := p.values(field{name: name, path: path + name, line: p.line}, depth)
		if err != nil {
			return nil, err
		}
		m = append(m, values...)
		if !p.take(',') {
			p.take(';')
		}
	}
}

// values reads what stands after a field's name: one value, or a list of them.
func (p *textParser) values(f field, depth int) (message, error) {
	colon := p.take(':')
	if !p.take('[') {
		err := p.value(&f, colon, depth)
		return message{f}, err
	}
	var m message
	for !p.take(']') {
		p.skip()
		f.line = p.line
		if err := p.value(&f, colon, depth); err != nil {
			return nil, err
		}
		m = append(m, f)
		if !p.take(',') && !p.at("]") {
			return nil, fmt.Errorf("%s: expected , or ] in the list", f.path)
		}
	}
	return m, nil
}

func (p *textParser) value(f *field, colon bool, depth int) (err error) {
	switch {
	case p.take('{'):
		f.kind = messageKind
		f.nested, err = p.fields(f.path+".", '}', depth+1)
	case p.take('<'):
		f.kind = messageKind
		f.nested, err = p.fields(f.path+".", '>', depth+1)
	case !colon:
		return fmt.Errorf("%s: expected : and a value, or a message in braces", f.path)
	case p.at(`"'`):
		f.kind = textKind
		f.text, err = p.quoted()
	default:
		f.kind = wordKind
		f.text = p.scalar()
		if f.text == "" {
			err = fmt.Errorf("%s: expected a value", f.path)
		}
	}
	return err
}

// scalar reads a number or a constant; a minus may stand apart from its number.
func (p *textParser) scalar() string {
	if p.take('-') {
		return "-" + p.word()
	}
	return p.word()
}

// word reads a name, a number without sign or a constant.
func (p *textParser) word() string {
	p.skip()
	end := 0
	for end < len(p.rest) && isWord(p.rest[end], p.rest[:end]) {
		end++
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

// isWord tells whether c belongs to the word that begins with before. A sign does
// after the e of an exponent.
func isWord(c byte, before string) bool {
	switch {
	case c == '_', c == '.', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return true
	case c == '-' || c == '+':
		return before != "" && (before[0] == '.' || '0' <= before[0] && before[0] <= '9') && strings.HasSuffix(strings.ToLower(before), "e")
	}
	return false
}

// quoted reads a text in quotation marks. Several side by side are one.
func (p *textParser) quoted() (string, error) {
	var b strings.Builder
	for p.at(`"'`) {
		mark := p.rest[0]
		p.rest = p.rest[1:]
		for p.rest != "" && p.rest[0] != mark {
			switch c := p.rest[0]; c {
			case '\n':
				return "", fmt.Errorf("a text lacks its closing %c", mark)
			case '\\':
				if err := p.escape(&b); err != nil {
					return "", err
				}
			default:
				b.WriteByte(c)
				p.rest = p.rest[1:]
			}
		}
		if p.rest == "" {
			return "", fmt.Errorf("a text lacks its closing %c", mark)
		}
		p.rest = p.rest[1:]
	}
	return b.String(), nil
}

var errEscape = errors.New(`a text has a \ that means nothing`)
