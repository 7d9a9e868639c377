package modelconfig

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// simpleEscapes are those of one character after the backslash, and what they mean.
const simpleEscapes, simpleMeanings = `abfnrtv\'"?`, "\a\b\f\n\r\t\v\\'\"?"

// escape reads a backslash and what belongs to it, as C has them.
func (p *textParser) escape(b *strings.Builder) error {
	if len(p.rest) < 2 {
		return errEscape
	}
	c := p.rest[1]
	if i := strings.IndexByte(simpleEscapes, c); i >= 0 {
		b.WriteByte(simpleMeanings[i])
		p.rest = p.rest[2:]
		return nil
	}
	switch c {
	case 'x', 'X':
		n, err := p.code(2, 1, 2, 16)
		b.WriteByte(byte(n))
		return err
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, err := p.code(1, 1, 3, 8)
		b.WriteByte(byte(n))
		return err
	case 'u', 'U':
		digits := map[byte]int{'u': 4, 'U': 8}[c]
		n, err := p.code(2, digits, digits, 16)
		if err == nil && !utf8.ValidRune(rune(n)) {
			err = errEscape
		}
		b.WriteRune(rune(n))
		return err
	}
	return errEscape
}

// code reads from least to most digits that begin at start.
func (p *textParser) code(start, least, most, base int) (int64, error) {
	end := start
	for end < min(start+most, len(p.rest)) && isDigit(p.rest[end], base) {
		end++
	}
	if end-start < least {
		return 0, errEscape
	}
	n, err := strconv.ParseInt(p.rest[start:end], base, 64)
	if err != nil || base == 8 && n > 0xff {
		return 0, errEscape
	}
	p.rest = p.rest[end:]
	return n, nil
}

func isDigit(c byte, base int) bool {
	_, err := strconv.ParseUint(string(c), base, 8)
	return err == nil
}
