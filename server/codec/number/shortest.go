package number

import (
	"math/big"
	"math/bits"
)

// shortest returns the decimal digits·10^exponent with the fewest digits that rounds to mantissa·2^q, not
// to a neighbour (mantissa±1)·2^q, and of those the nearest. The algorithm is Raffaello Giulietti's
// Schubfach (https://drive.google.com/file/d/1IEeATSVnEE6TkrHlCYNY2GjaraBjOT4f).
// Below a power of two the lower neighbour is only half as far, which halfBelow states.
// The function serves every binary type with a mantissa of 24 bits at most.
func shortest(mantissa uint32, q int, halfBelow bool) (digits uint32, exponent int) {
	odd := mantissa & 1 // the midpoints beside an odd mantissa belong to the neighbours
	lower, v, upper := 4*mantissa-2, 4*mantissa, 4*mantissa+2
	log := q * 1262611 // of 2^q, to base ten, in units of 2^-22
	if halfBelow {
		lower++
		log -= 524031 // of 3/4·2^q
	}
	k := log >> 22
	shift := (q + (-k*1741647)>>19 + 1) & 31 // q + ⌊log2(10^-k)⌋ + 1, of 1 to 4
	g := highPowersOf10[-k-minPower]
	lower = mulRoundToOdd(g, lower<<shift) + odd
	v = mulRoundToOdd(g, v<<shift) // 4·mantissa·2^q·10^-k
	upper = mulRoundToOdd(g, upper<<shift) - odd

	// Both grids are tried and one result is selected at the end, because a branch would be unpredictable.
	s := v / 4
	down, up := bit(lower <= 4*s), bit(4*s+4 <= upper)
	middle := 4*s + 2
	nearest := bit(v+s&1 > middle)
	if down != up {
		nearest = up
	}
	digits, exponent = s+nearest, k
	t := s / 10 // one digit less, if exactly one neighbour on that coarser grid is inside
	down, up = bit(lower <= 40*t), bit(40*t+40 <= upper)
	if (down^up)&bit(s >= 10) != 0 {
		digits, exponent = t+up, k+1
	}
	return digits, exponent
}

// mulRoundToOdd returns g·c/2^64 with its last bit set if bits were cut off.
func mulRoundToOdd(g uint64, c uint32) uint32 {
	high, low := bits.Mul64(g, uint64(c))
	return uint32(high) | bit(low>>32 > 1)
}

const minPower, maxPower = -31, 45

// highPowersOf10 has the first 64 bits of 10^k, rounded up, from minPower on.
var highPowersOf10 = func() (all [maxPower - minPower + 1]uint64) {
	for k := range all {
		n, d := big.NewInt(1), big.NewInt(1)
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(k+minPower, -k-minPower))), nil)
		if k+minPower < 0 {
			d = power
		} else {
			n = power
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
