package codec

import (
	"math/big"
	"math/bits"
)

// shortest finds the decimal digits·10^exp that is the shortest to round to c·2^q
// among its neighbours c±1, and of those the nearest, by Raffaello Giulietti's
// Schubfach (https://drive.google.com/file/d/1IEeATSVnEE6TkrHlCYNY2GjaraBjOT4f).
// closer says that the neighbour below is only half as far, as it is below a power of two.
// It serves any binary type with 24 bits of fraction at most.
func shortest(c uint32, q int, closer bool) (digits uint32, exp int) {
	odd := c & 1 // of an odd number the halfway points belong to the neighbours
	lower, v, upper := 4*c-2, 4*c, 4*c+2
	log := q * 1262611 // of 2^q, to base ten, in units of 2^-22
	if closer {
		lower++
		log -= 524031 // of 3/4·2^q
	}
	k := log >> 22
	shift := (q + (-k*1741647)>>19 + 1) & 31 // q + ⌊log2(10^-k)⌋ + 1, of 1 to 4
	g := powers[-k-minPower]
	lower = roundOdd(g, lower<<shift) + odd
	v = roundOdd(g, v<<shift) // 4·c·2^q·10^-k
	upper = roundOdd(g, upper<<shift) - odd

	// Both grids are tried and one taken at the end: which one it is cannot be predicted.
	s := v / 4
	down, up := b2u(lower <= 4*s), b2u(4*s+4 <= upper)
	middle := 4*s + 2
	nearest := b2u(v+s&1 > middle)
	if down != up {
		nearest = up
	}
	digits, exp = s+nearest, k
	t := s / 10 // one digit less, if just one neighbour on that coarser grid is inside
	down, up = b2u(lower <= 40*t), b2u(40*t+40 <= upper)
	if (down^up)&b2u(s >= 10) != 0 {
		digits, exp = t+up, k+1
	}
	return digits, exp
}

// roundOdd is g·c/2^64, its last bit set if anything was cut off.
func roundOdd(g uint64, c uint32) uint32 {
	high, low := bits.Mul64(g, uint64(c))
	return uint32(high) | b2u(low>>32 > 1)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

const minPower, maxPower = -31, 45

// powers has the first 64 bits of 10^k, rounded up, from minPower on.
var powers = func() (all [maxPower - minPower + 1]uint64) {
	for k := range all {
		n, d := big.NewInt(1), big.NewInt(1)
		tens := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(k+minPower, -k-minPower))), nil)
		if k+minPower < 0 {
			d = tens
		} else {
			n = tens
		}
		// Widen until the quotient has 64 bits.
		shift := 64 + d.BitLen() - n.BitLen()
		n.Lsh(n, uint(max(shift, 0)))
		d.Lsh(d, uint(max(-shift, 0)))
		quotient, rest := new(big.Int).QuoRem(n, d, new(big.Int))
		if quotient.BitLen() > 64 {
			d.Lsh(d, 1)
			quotient, rest = quotient.QuoRem(n, d, rest)
		}
		if rest.Sign() > 0 {
			quotient.Add(quotient, big.NewInt(1))
		}
		all[k] = quotient.Uint64()
	}
	return all
}()
