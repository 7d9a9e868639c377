package codec

import (
	"encoding/binary"
	"math/bits"
)

// putInteger puts v in decimal, eight digits at a time.
func putInteger[T integer](b *[room]byte, v T) int {
	u, n := uint64(v), 0
	if v < 0 {
		u, n = -u, 1
	}
	b[0] = '-'
	const group = 1e8
	if u >= group*group {
		n += putFirst(b[n:], u/(group*group))
		n += putEight(b[n:], u/group%group)
		return n + putEight(b[n:], u%group)
	}
	if u >= group {
		n += putFirst(b[n:], u/group)
		return n + putEight(b[n:], u%group)
	}
	return n + putFirst(b[n:], u)
}

// putFirst puts a v below 10^8 without leading zeros.
func putFirst(b []byte, v uint64) int {
	w := eight(uint32(v))
	skip := min(bits.TrailingZeros64(w)/8, 7) // the zero itself stays
	binary.LittleEndian.PutUint64(b, (w|zeros)>>(8*skip))
	return 8 - skip
}

// putEight puts a v below 10^8 with leading zeros.
func putEight(b []byte, v uint64) int {
	binary.LittleEndian.PutUint64(b, eight(uint32(v))|zeros)
	return 8
}

// eight spreads the eight decimal digits of v over the bytes of a word, the first in the lowest.
func eight(v uint32) uint64 {
	w := uint64(v/1e4) | uint64(v%1e4)<<32
	high := w * 10486 >> 20 & 0x0000007f0000007f // of each four digits, the first two
	w = high | (w-100*high)<<16
	high = w * 103 >> 10 & 0x000f000f000f000f
	return high | (w-10*high)<<8
}
