package tensor

import (
	"math"

	"github.com/x448/float16"
)

// Float16 is the bit pattern of an IEEE 754 half-precision number.
type Float16 uint16

// Float32 widens f, exactly.
func (f Float16) Float32() float32 { return float16.Frombits(uint16(f)).Float32() }

// ToFloat16 rounds x to the nearest half, ties to even.
func ToFloat16(x float32) Float16 { return Float16(float16.Fromfloat32(x).Bits()) }

// BFloat16 is the upper half of the bit pattern of a float32.
type BFloat16 uint16

// Float32 widens f, exactly.
func (f BFloat16) Float32() float32 { return math.Float32frombits(uint32(f) << 16) }

// ToBFloat16 rounds x to the nearest bfloat16, ties to even.
func ToBFloat16(x float32) BFloat16 {
	bits := math.Float32bits(x)
	if x != x {
		return BFloat16(bits>>16 | 0x40) // stays a NaN when the low half is cut off
	}
	return BFloat16((bits + 0x7fff + bits>>16&1) >> 16)
}
