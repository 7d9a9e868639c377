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
	// At each step a number x, high·unit + low, becomes high + low<<width in one go,
	// x<<width - high·(unit<<width - 1): first one of eight digits, then two of four, then four of two.
	w := uint64(v)
	w = w<<32 - w/1e4*(1e4<<32-1)
	w = w<<16 - w*10486>>20&0x0000007f0000007f*(100<<16-1)
	return w<<8 - w*103>>10&0x000f000f000f000f*(10<<8-1)
}
