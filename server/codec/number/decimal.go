package number

import (
	"encoding/binary"
	"math/bits"
)

// flags describe a number that was read.
type flags uint8

const (
	negative  flags = 1 << iota
	overflow        // more than 19 digits: the mantissa is wrong
	malformed       // not a number by the grammar of JSON
)

// maxDigits is the number of decimal digits that always fit a uint64.
const maxDigits = 19

// readDecimal reads the number ±mantissa·10^exponent at b[at:] by the grammar of JSON.
func readDecimal(b []byte, at int) (mantissa uint64, exponent, end int, is flags) {
	i := at
	if i >= len(b) {
		return 0, 0, at, malformed
	}
	is = flags(bit(b[i] == '-')) // without a branch: signs can't be predicted
	i += int(is)
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ { // mostly one digit or two
		mantissa = mantissa*10 + uint64(b[i]-'0')
	}
	n := i - first
	if n == 0 || n > 1 && b[first] == '0' {
		return 0, 0, at, malformed
	}
	if i < len(b) && b[i] == '.' {
		fraction := i + 1
		mantissa, i = readDigits(b, fraction, mantissa)
		if i == fraction {
			return 0, 0, at, malformed
		}
		exponent = fraction - i
		n -= exponent
	}
	if n > maxDigits && n-leadingZeros(b[first:i]) > maxDigits {
		is |= overflow
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		e, end := readExponent(b, i+1)
		if end == 0 {
			return 0, 0, at, malformed
		}
		exponent += e
		i = end
	}
	return mantissa, exponent, i, is
}

// readDigits appends the decimal digits at b[i:] to m, eight at a time, and returns
// where they end.
func readDigits(b []byte, i int, m uint64) (uint64, int) {
	for i+8 <= len(b) {
		// A byte of w is 0 to 9 where the text has a digit. Adding 0x76 lifts any other byte over 0x7f.
		w := binary.LittleEndian.Uint64(b[i:]) ^ asciiZeros
		n := bits.TrailingZeros64((w+0x7676767676767676|w)&0x8080808080808080) / 8
		if n == 0 {
			return m, i
		}
		// The n digits move to the upper end. The zero bytes below them count as leading zeros.
		w <<= 64 - 8*n
		w = w * (10<<8 + 1) >> 8
		w = w & 0x00ff00ff00ff00ff * (100<<16 + 1) >> 16
		w = w & 0x0000ffff0000ffff * (10000<<32 + 1) >> 32
		m = m*uint64(powersOf10[n]) + w
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

// asciiZeros is the digit 0 eight times.
const asciiZeros = 0x3030303030303030

var powersOf10 = [...]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// readExponent reads what follows the e. It returns an end of 0 when there are no digits.
// It stops counting where no body is long enough to make up for the exponent.
func readExponent(b []byte, i int) (exponent, end int) {
	minus := false
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		minus = b[i] == '-'
		i++
	}
	first := i
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		if exponent < 1e15 {
			exponent = exponent*10 + int(b[i]-'0')
		}
	}
	if i == first {
		return 0, 0
	}
	if minus {
		exponent = -exponent
	}
	return exponent, i
}

// leadingZeros counts the zeros before the first other digit.
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

// bit is 1 for true. The compiler makes no branch of it.
func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
