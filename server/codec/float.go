package codec

import (
	"math"
	"strconv"

	"slipway/server/tensor"
)

var exact10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

const (
	float32Normal = 0x1p-126 // below it a float32 has fewer bits, and rounds elsewhere
	lowBits       = 29       // of a float64's fraction are beyond a float32's
)

// real32 reads an FP32 as strconv.ParseFloat(…, 32) does: the nearest one, ties to even.
//
// Mantissa and power of ten are turned into float64 and multiplied or divided,
// each step off by half a unit of the last place at most. Rounding that to float32 is
// rounding the number itself, unless it is within those few units of a place
// halfway between two float32: then, and for rare sizes, strconv decides.
func real32(s *scanner) (float32, error) {
	start := s.pos
	mant, exp, is := s.decimal()
	if is&bad != 0 {
		return 0, s.notNumber("a number (FP32)")
	}
	if is&long == 0 && mant < 1<<63 && exp >= -22 && exp <= 22 {
		if f := scale(mant, exp); sure32(f) || mant == 0 {
			return math.Float32frombits(math.Float32bits(float32(f)) | uint32(is&negative)<<31), nil
		}
	}
	f, err := strconv.ParseFloat(string(s.buf[start:s.pos]), 32)
	if err != nil {
		return 0, problemf("%s overflows FP32", clip(s.buf[start:s.pos]))
	}
	return float32(f), nil
}

// sure32 tells whether a number that is within a few units of f's last place
// rounds to the same float32 as f does.
func sure32(f float64) bool {
	const margin = 8
	off := math.Float64bits(f)&(1<<lowBits-1) - (1<<(lowBits-1) - margin)
	return f >= float32Normal && f <= math.MaxFloat32 && off > 2*margin
}

// scale is mant·10^exp for mant < 2^63 and |exp| ≤ 22, exactly rounded when mant ≤ 2^53.
func scale(mant uint64, exp int) float64 {
	f := float64(int64(mant))
	if exp < 0 {
		return f / exact10[-exp]
	}
	return f * exact10[exp]
}

// real64 reads an FP64 as strconv.ParseFloat(…, 64) does.
func real64(s *scanner) (float64, error) { return float64Of(s, tensor.FP64) }

func float64Of(s *scanner, d tensor.DType) (float64, error) {
	start := s.pos
	mant, exp, is := s.decimal()
	if is&bad != 0 {
		return 0, s.notNumber("a number (" + d.String() + ")")
	}
	if is&long == 0 && exp >= -22 && exp <= 22 && mant <= 1<<53 {
		f := scale(mant, exp)
		if is&negative != 0 {
			f = -f
		}
		return f, nil
	}
	f, err := strconv.ParseFloat(string(s.buf[start:s.pos]), 64)
	if err != nil {
		return 0, problemf("%s overflows %s", clip(s.buf[start:s.pos]), d)
	}
	return f, nil
}

// half reads an FP16: the nearest one to the FP64 that was written.
func half(s *scanner) (tensor.Float16, error) {
	start := s.pos
	f, err := float64Of(s, tensor.FP16)
	if err != nil {
		return 0, err
	}
	h := tensor.ToFloat16(roundToOdd(f))
	if h&0x7c00 == 0x7c00 {
		return 0, problemf("%s overflows FP16", clip(s.buf[start:s.pos]))
	}
	return h, nil
}

// roundToOdd narrows f so that rounding the result once more, to a shorter type,
// is the same as rounding f: what was cut off leaves the last bit set.
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
