package number

import (
	"math"
	"strconv"

	"slipway/server/tensor"
)

// Float32 reads an FP32 as strconv.ParseFloat(…, 32) does.
//
// The mantissa and the power of ten become float64 and are multiplied or divided. Each of
// the three steps is off by half a unit in the last place at most. Rounding the result to float32
// then rounds the number itself, unless the result is within those few units of the midpoint
// between two float32: such numbers, and those of rare sizes, are left to strconv.
func Float32(b []byte, at int) (v float32, end int, err error) {
	mantissa, exponent, end, is := readDecimal(b, at)
	if is&malformed != 0 {
		return 0, at, ErrSyntax
	}
	if is&overflow == 0 && mantissa < 1<<63 && exponent >= -maxExact && exponent <= maxExact {
		if f := scale(mantissa, exponent); nearOneFloat32(f) || mantissa == 0 {
			return math.Float32frombits(math.Float32bits(float32(f)) | uint32(is&negative)<<31), end, nil
		}
	}
	f, err := strconv.ParseFloat(string(b[at:end]), 32)
	if err != nil {
		return 0, end, ErrRange
	}
	return float32(f), end, nil
}

// Float64 reads an FP64 as strconv.ParseFloat(…, 64) does.
func Float64(b []byte, at int) (v float64, end int, err error) {
	mantissa, exponent, end, is := readDecimal(b, at)
	if is&malformed != 0 {
		return 0, at, ErrSyntax
	}
	if is&overflow == 0 && exponent >= -maxExact && exponent <= maxExact && mantissa <= 1<<53 {
		f := scale(mantissa, exponent)
		if is&negative != 0 {
			f = -f
		}
		return f, end, nil
	}
	f, err := strconv.ParseFloat(string(b[at:end]), 64)
	if err != nil {
		return 0, end, ErrRange
	}
	return f, end, nil
}

// Float16 reads an FP16: the one that is nearest to the FP64 that Float64 reads.
func Float16(b []byte, at int) (v tensor.Float16, end int, err error) {
	f, end, err := Float64(b, at)
	if err != nil {
		return 0, end, err
	}
	v = tensor.ToFloat16(roundToOdd(f))
	if v&0x7c00 == 0x7c00 {
		return 0, end, ErrRange
	}
	return v, end, nil
}

// maxExact is the greatest power of ten that a float64 holds exactly.
const maxExact = 22

var exactPowersOf10 = [maxExact + 1]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// scale returns mantissa·10^exponent for mantissa < 2^63 and |exponent| ≤ maxExact. The result
// is exactly rounded when mantissa ≤ 2^53.
func scale(mantissa uint64, exponent int) float64 {
	f := float64(int64(mantissa))
	if exponent < 0 {
		return f / exactPowersOf10[-exponent]
	}
	return f * exactPowersOf10[exponent]
}

const (
	minNormal32 = 0x1p-126 // a smaller float32 has fewer bits, and its midpoints are elsewhere
	extraBits   = 29       // of a float64's fraction, beyond those of a float32
)

// nearOneFloat32 reports whether every number within a few units of f's last place
// rounds to the same float32 as f.
func nearOneFloat32(f float64) bool {
	const margin = 8
	offset := math.Float64bits(f)&(1<<extraBits-1) - (1<<(extraBits-1) - margin)
	return f >= minNormal32 && f <= math.MaxFloat32 && offset > 2*margin
}

// roundToOdd narrows f so that rounding the result to a still shorter type gives what
// rounding f itself gives: when bits are cut off, the last bit that is left is set.
func roundToOdd(f float64) float32 {
	near := float32(f)
	bits := math.Float32bits(near)
	if float64(near) == f || bits&1 == 1 || math.IsInf(float64(near), 0) {
		return near
	}
	if math.Abs(float64(near)) < math.Abs(f) {
		bits++
	} else {
		bits--
	}
	return math.Float32frombits(bits)
}
