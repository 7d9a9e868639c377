package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"

	"slipway/server/tensor"
)

// putBrain puts the shortest number that reads back as v, as an FP32: a BF16 has no JSON of its own.
func putBrain(b *[room]byte, v tensor.BFloat16) int { return putFloat32(b, v.Float32()) }

// putFloat32 puts the shortest number that reads back as v.
func putFloat32(b *[room]byte, v float32) int {
	u := math.Float32bits(v)
	neg, exp, c := u>>31, int(u>>23&0xff), u&(1<<23-1)
	b[0] = '-'
	rest := (*[room - 1]byte)(b[neg:])
	q, power := exp-150, c == 0
	switch {
	case exp == 0xff:
		return putSpecial(b, neg, c)
	case exp > 0:
		c |= 1 << 23
	case c == 0:
		rest[0] = '0'
		return int(neg) + 1
	default:
		q++
	}
	if q <= 0 && bits.TrailingZeros32(c) >= -q { // whole
		return int(neg) + putDecimal(rest, c>>(-q&31), 0)
	}
	digits, e := shortest(c, q, power && exp > 1)
	return int(neg) + putDecimal(rest, digits, e)
}

// putHalf puts the shortest number that reads back as v, as an FP16.
func putHalf(b *[room]byte, v tensor.Float16) int {
	neg, exp, c := uint32(v>>15), int(v>>10&0x1f), uint32(v&(1<<10-1))
	b[0] = '-'
	rest := (*[room - 1]byte)(b[neg:])
	q, power := exp-25, c == 0
	switch {
	case exp == 0x1f:
		return putSpecial(b, neg, c)
	case exp > 0:
		c |= 1 << 10
	case c == 0:
		rest[0] = '0'
		return int(neg) + 1
	default:
		q++
	}
	digits, e := shortest(c, q, power && exp > 1)
	return int(neg) + putDecimal(rest, digits, e)
}

// putSpecial puts what is no number.
func putSpecial(b *[room]byte, neg, fraction uint32) int {
	switch {
	case fraction != 0:
		return copy(b[:], `"NaN"`)
	case neg != 0:
		return copy(b[:], `"-Infinity"`)
	}
	return copy(b[:], `"Infinity"`)
}

// putDecimal puts digits·10^exp in the format of encoding/json, with an
// exponent below 1e-6 and from 1e21 on, and returns the length.
func putDecimal(b *[room - 1]byte, digits uint32, exp int) int {
	// Nine digits from the left: the first, and eight in a word, lowest byte first.
	length := int((uint64(digits) + lengths[bits.Len32(digits)&31]) >> 32)
	digits *= tens[9-length]
	first := byte(digits/1e8) + '0'
	word := eight(digits % 1e8)
	count := 9 - bits.LeadingZeros64(word)/8 // without the zeros at the end
	word |= zeros
	exp += length - 1 // of the first digit

	switch {
	case exp < -6 || exp > 20:
		return putExponent(b, first, word, count, exp)
	case exp >= count-1: // whole
		b[0] = first
		binary.LittleEndian.PutUint64(b[1:], word)
		binary.LittleEndian.PutUint64(b[9:], zeros)
		binary.LittleEndian.PutUint64(b[17:], zeros)
		return exp + 1
	}
	// 12.34 and 0.001234 differ only in where the parts go.
	p := &places[uint(exp+6)%uint(len(places))]
	binary.LittleEndian.PutUint64(b[:], zeros)
	b[p.first&15] = first
	binary.LittleEndian.PutUint64(b[p.first&15+1:], word)
	b[p.point&15] = '.'
	binary.LittleEndian.PutUint64(b[p.fraction&15:], word>>(p.shift&63))
	return count + int(p.more)
}

// zeros is eight times the digit 0.
const zeros = 0x3030303030303030

// places says where the first digit, the point and the digits behind it go, how
// many bits of them went before the point, and how many bytes are no digits, by exponent from -6 on.
var places = [...]struct{ first, point, fraction, shift, more uint8 }{
	{7, 1, 8, 0, 7}, {6, 1, 7, 0, 6}, {5, 1, 6, 0, 5}, {4, 1, 5, 0, 4}, {3, 1, 4, 0, 3}, {2, 1, 3, 0, 2},
	{0, 1, 2, 0, 1}, {0, 2, 3, 8, 1}, {0, 3, 4, 16, 1}, {0, 4, 5, 24, 1},
	{0, 5, 6, 32, 1}, {0, 6, 7, 40, 1}, {0, 7, 8, 48, 1}, {0, 8, 9, 56, 1},
	{}, {}, // to a power of two
}

// putExponent puts 1.234e-7.
func putExponent(b *[room - 1]byte, first byte, word uint64, count, exp int) int {
	n := 1
	b[0] = first
	if count > 1 {
		b[1] = '.'
		binary.LittleEndian.PutUint64(b[2:], word)
		n = count + 1
	}
	b[n] = 'e'
	n++
	if exp > 0 {
		b[n] = '+'
		n++
	}
	return n + len(strconv.AppendInt(b[n:n], int64(exp), 10))
}

var tens = [...]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// lengths has, for numbers of so many bits, what brings their count of decimal digits
// above the lower 32 bits when it is added: that of the largest, less the first number that has as many.
var lengths = func() (all [32]uint64) {
	for n := range all {
		digits := len(strconv.Itoa(1<<n - 1))
		all[n] = uint64(digits)<<32 - uint64(tens[digits-1])
	}
	return all
}()
