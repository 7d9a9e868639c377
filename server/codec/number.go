package codec

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// marks say how a number was written.
type marks uint8

const (
	negative marks = 1 << iota
	broken         // with a fraction or an exponent
	long           // with more than 19 digits: the mantissa is not to be trusted
	bad            // not by JSON's grammar
)

// decimal reads the number at pos, ±mant·10^exp, by JSON's grammar.
func (s *scanner) decimal() (mant uint64, exp int, is marks) {
	b, i := s.buf, s.pos
	if i >= len(b) {
		return 0, 0, bad
	}
	is = marks(b2u(b[i] == '-')) // without a jump: signs come as they please
	i += int(is)
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ { // mostly one or two
		mant = mant*10 + uint64(b[i]-'0')
	}
	n := i - first
	if n == 0 || n > 1 && b[first] == '0' {
		return 0, 0, bad
	}
	if i < len(b) && b[i] == '.' {
		is |= broken
		dot := i + 1
		mant, i = digits(b, dot, mant)
		if i == dot {
			return 0, 0, bad
		}
		exp = dot - i
		n -= exp
	}
	if n > maxDigits && n-leadingZeros(b[first:i]) > maxDigits {
		is |= long
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		is |= broken
		e, end := exponent(b, i+1)
		if end == 0 {
			return 0, 0, bad
		}
		exp += e
		i = end
	}
	s.pos = i
	return mant, exp, is
}

// maxDigits is how many decimal digits always fit an uint64.
const maxDigits = 19

// digits reads decimal digits from b[i:] onto m, eight at a time, and returns
// where they end.
func digits(b []byte, i int, m uint64) (uint64, int) {
	for i+8 <= len(b) {
		// Each byte of w is 0…9 where a digit stands. Adding 0x76 lifts anything else over 0x7f.
		w := binary.LittleEndian.Uint64(b[i:]) ^ 0x3030303030303030
		n := bits.TrailingZeros64((w+0x7676767676767676|w)&0x8080808080808080) / 8
		if n == 0 {
			return m, i
		}
		// The n digits move to the upper end: what is shifted in below them counts as leading zeros.
		w <<= 64 - 8*n
		w = w * (10<<8 + 1) >> 8
		w = w & 0x00ff00ff00ff00ff * (100<<16 + 1) >> 16
		w = w & 0x0000ffff0000ffff * (10000<<32 + 1) >> 32
		m = m*pow10[n] + w
		i += n
		if n < 8 {
			return m, i
		}
	}
	for i < len(b) && b[i]-'0' <= 9 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	return m, i
}

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// exponent reads what follows the e; end is 0 when nothing does. It stops
// counting beyond what the length of any body could make up for.
func exponent(b []byte, i int) (exp, end int) {
	neg := false
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		neg = b[i] == '-'
		i++
	}
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if exp < 1e15 {
			exp = exp*10 + int(b[i]-'0')
		}
	}
	if i == first {
		return 0, 0
	}
	if neg {
		exp = -exp
	}
	return exp, i
}

func leadingZeros(b []byte) int {
	n := 0
	for _, c := range b {
		switch c {
		case '0':
			n++
		case '.':
		default:
			return n
		}
	}
	return n
}

// notNumber says what stands at pos instead of a number.
func (s *scanner) notNumber(expected string) error {
	if s.next() == 0 {
		return s.want(expected)
	}
	switch token := s.token(); {
	case token[0] == '+':
		return problemf("got %s, expected %s: JSON's have no plus sign", clip(token), expected)
	case len(token) > 1 && token[0] == '0' && token[1]-'0' <= 9, len(token) > 2 && token[0] == '-' && token[1] == '0' && token[2]-'0' <= 9:
		return problemf("got %s, expected %s: JSON's have no leading zeros", clip(token), expected)
	}
	return s.want(expected)
}

// whole turns a number written with a fraction or an exponent, but whole all
// the same (1.0, 1e3), into its digits.
func whole(token []byte) (digits string, ok bool) {
	var text []byte
	exp := 0
	for i, c := range token {
		switch {
		case c-'0' <= 9:
			text = append(text, c)
		case c == '.':
			exp = i // where the point stands, for now
		case c|0x20 == 'e':
			e, _ := exponent(token, i+1)
			return scaled(text, exp, i, e)
		}
	}
	return scaled(text, exp, len(token), 0)
}

// scaled applies an exponent to digits whose fraction began after point and ended before end.
func scaled(text []byte, point, end, exp int) (string, bool) {
	if point > 0 {
		exp -= end - point - 1
	}
	for len(text) > 1 && text[len(text)-1] == '0' {
		text = text[:len(text)-1]
		exp++
	}
	for len(text) > 1 && text[0] == '0' {
		text = text[1:]
	}
	if string(text) == "0" {
		return "0", true
	}
	if exp < 0 {
		return "", false
	}
	for range min(exp, 2*maxDigits) {
		text = append(text, '0')
	}
	return string(text), true
}

// uintOf is the value of a number that decimal found whole or that the slow way has to look at.
func uintOf(token []byte) (v uint64, fits, isWhole bool) {
	text, ok := whole(token)
	if !ok {
		return 0, false, false
	}
	v, err := strconv.ParseUint(text, 10, 64)
	return v, err == nil, true
}
