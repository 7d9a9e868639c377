package number

import (
	"math"
	"math/bits"
	"strconv"

	"slipway/server/tensor"
)

// PutFloat16 writes the shortest number that reads back as v, as an FP16.
func PutFloat16(b *[Size]byte, v tensor.Float16) int {
	sign, exponent, mantissa := int(v>>15), int(v>>10&0x1f), uint32(v&(1<<10-1))
	b[0] = '-'
	rest := (*[Size - 1]byte)(b[sign:])
	q, powerOf2 := exponent-25, mantissa == 0
	switch {
	case exponent == 0x1f:
		return putNonFinite(b, sign != 0, mantissa != 0)
	case exponent > 0:
		mantissa |= 1 << 10
	case mantissa == 0:
		rest[0] = '0'
		return sign + 1
	default:
		q++
	}
	digits, e := shortest(mantissa, q, powerOf2 && exponent > 1)
	return sign + putDecimal(rest, digits, e)
}

// PutBFloat16 writes the shortest number that reads back as v, as an FP32: no reader of JSON
// knows a BF16.
func PutBFloat16(b *[Size]byte, v tensor.BFloat16) int { return PutFloat32(b, v.Float32()) }

// PutFloat32 writes the shortest number that reads back as v.
func PutFloat32(b *[Size]byte, v float32) int {
	u := math.Float32bits(v)
	sign, exponent, mantissa := int(u>>31), int(u>>23&0xff), u&(1<<23-1)
	b[0] = '-'
	rest := (*[Size - 1]byte)(b[sign:])
	q, powerOf2 := exponent-150, mantissa == 0
	switch {
	case exponent == 0xff:
		return putNonFinite(b, sign != 0, mantissa != 0)
	case exponent > 0:
		mantissa |= 1 << 23
	case mantissa == 0:
		rest[0] = '0'
		return sign + 1
	default:
		q++
	}
	if q <= 0 && bits.TrailingZeros32(mantissa) >= -q { // a whole number
		return sign + putDecimal(rest, mantissa>>(-q&31), 0)
	}
	digits, e := shortest(mantissa, q, powerOf2 && exponent > 1)
	return sign + putDecimal(rest, digits, e)
}

// PutFloat64 writes the shortest number that reads back as v.
func PutFloat64(b *[Size]byte, v float64) int {
	abs := math.Abs(v)
	if !(abs <= math.MaxFloat64) {
		return putNonFinite(b, v < 0, v != v)
	}
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return len(strconv.AppendFloat(b[:0], v, 'f', -1, 64))
	}
	n := len(strconv.AppendFloat(b[:0], v, 'e', -1, 64))
	if b[n-2] == '0' && b[n-3] == '-' { // e-09 → e-9
		b[n-2] = b[n-1]
		n--
	}
	return n
}

// putNonFinite writes a string, since JSON has no number for what is not finite.
func putNonFinite(b *[Size]byte, negative, nan bool) int {
	switch {
	case nan:
		return copy(b[:], `"NaN"`)
	case negative:
		return copy(b[:], `"-Infinity"`)
	}
	return copy(b[:], `"Infinity"`)
}
