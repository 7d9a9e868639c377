package number

import (
	"encoding/binary"
	"math/bits"
)

// PutInteger writes v in decimal, eight digits at a time.
func PutInteger[T integer](b *[Size]byte, v T) int {
	u, n := uint64(v), 0
	if v < 0 {
		u, n = -u, 1
	}
	b[0] = '-'
	const group = 1e8
	if u >= group*group {
		n += putLeadingDigits(b[n:], u/(group*group))
		n += putEightDigits(b[n:], u/group%group)
		return n + putEightDigits(b[n:], u%group)
	}
	if u >= group {
		n += putLeadingDigits(b[n:], u/group)
		return n + putEightDigits(b[n:], u%group)
	}
	return n + putLeadingDigits(b[n:], u)
}

// putLeadingDigits writes a v below 10^8 without leading zeros.
func putLeadingDigits(b []byte, v uint64) int {
	w := spreadDigits(uint32(v))
	skip := min(bits.TrailingZeros64(w)/8, 7) // zero itself keeps a digit
	binary.LittleEndian.PutUint64(b, (w|asciiZeros)>>(8*skip))
	return 8 - skip
}

// putEightDigits writes a v below 10^8 with leading zeros.
func putEightDigits(b []byte, v uint64) int {
	binary.LittleEndian.PutUint64(b, spreadDigits(uint32(v))|asciiZeros)
	return 8
}
