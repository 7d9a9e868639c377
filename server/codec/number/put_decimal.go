package number

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Size is the number of bytes of the buffer that a number is written to. A Put function returns
// the length of the number and may change the bytes behind it, because it writes eight digits
// at a time.
const Size = 40

// putDecimal writes digits·10^exponent and returns the length. In the format of encoding/json a
// number below 1e-6 or from 1e21 on has an exponent.
func putDecimal(b *[Size - 1]byte, digits uint32, exponent int) int {
	// Nine digits from the left: the first one, and eight in a word, lowest byte first.
	length := decimalLength(digits)
	digits *= powersOf10[9-length]
	first := byte(digits/1e8) + '0'
	word := spreadDigits(digits % 1e8)
	count := 9 - bits.LeadingZeros64(word)/8 // without the zeros at the end
	word |= asciiZeros
	exponent += length - 1 // of the first digit

	switch {
	case exponent < -6 || exponent > 20:
		return putScientific(b, first, word, count, exponent)
	case exponent >= count-1: // a whole number
		b[0] = first
		binary.LittleEndian.PutUint64(b[1:], word)
		binary.LittleEndian.PutUint64(b[9:], asciiZeros)
		binary.LittleEndian.PutUint64(b[17:], asciiZeros)
		return exponent + 1
	}
	// 12.34 and 0.001234 differ only in where the parts stand.
	p := &layouts[uint(exponent+6)%uint(len(layouts))]
	binary.LittleEndian.PutUint64(b[:], asciiZeros)
	b[p.first&15] = first
	binary.LittleEndian.PutUint64(b[p.first&15+1:], word)
	b[p.point&15] = '.'
	binary.LittleEndian.PutUint64(b[p.fraction&15:], word>>(p.shift&63))
	return count + int(p.others)
}

// layouts has an entry for each exponent from -6 on: the positions of the first digit, of the point
// and of the digits behind the point, how many bits of the word stand before the point, and how
// many bytes besides the digits there are.
var layouts = [...]struct{ first, point, fraction, shift, others uint8 }{
	{7, 1, 8, 0, 7}, {6, 1, 7, 0, 6}, {5, 1, 6, 0, 5}, {4, 1, 5, 0, 4}, {3, 1, 4, 0, 3}, {2, 1, 3, 0, 2},
	{0, 1, 2, 0, 1}, {0, 2, 3, 8, 1}, {0, 3, 4, 16, 1}, {0, 4, 5, 24, 1},
	{0, 5, 6, 32, 1}, {0, 6, 7, 40, 1}, {0, 7, 8, 48, 1}, {0, 8, 9, 56, 1},
	{}, {}, // up to a power of two
}

// putScientific writes 1.234e-7.
func putScientific(b *[Size - 1]byte, first byte, word uint64, count, exponent int) int {
	n := 1
	b[0] = first
	if count > 1 {
		b[1] = '.'
		binary.LittleEndian.PutUint64(b[2:], word)
		n = count + 1
	}
	b[n] = 'e'
	n++
	if exponent > 0 {
		b[n] = '+'
		n++
	}
	return n + len(strconv.AppendInt(b[n:n], int64(exponent), 10))
}

// decimalLength is the number of decimal digits of v, which has nine at most.
func decimalLength(v uint32) int {
	return int((uint64(v) + lengthOffsets[bits.Len32(v)&31]) >> 32)
}

// lengthOffsets has for each bit length what brings the count of decimal digits into the upper
// 32 bits when v is added: the count of the largest v of that bit length in the upper bits, less
// the smallest v that has as many digits.
var lengthOffsets = func() (all [32]uint64) {
	for n := range all {
		digits := len(strconv.Itoa(1<<n - 1))
		all[n] = uint64(digits)<<32 - uint64(powersOf10[digits-1])
	}
	return all
}()

// spreadDigits spreads the eight decimal digits of v over the bytes of a word, the first digit in
// the lowest byte.
func spreadDigits(v uint32) uint64 {
	// A step turns a number x = high·unit + low into high + low<<width, with one multiplication:
	// x<<width - high·(unit<<width - 1). First one number of eight digits becomes two of four,
	// then these become four of two, then these eight digits.
	w := uint64(v)
	w = w<<32 - w/1e4*(1e4<<32-1)
	w = w<<16 - w*10486>>20&0x0000007f0000007f*(100<<16-1)
	return w<<8 - w*103>>10&0x000f000f000f000f*(10<<8-1)
}
