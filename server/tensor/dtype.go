package tensor

import (
	"math"

	"github.com/x448/float16"
)

// DType is an element type under the name the Open Inference Protocol gives it.
type DType uint8

// The element types of the Open Inference Protocol, and BF16.
const (
	Invalid DType = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	FP16
	BF16
	FP32
	FP64
	Bytes
)

var dtypes = [...]struct {
	name string
	size int
}{
	Invalid: {"INVALID", 0},
	Bool:    {"BOOL", 1},
	Int8:    {"INT8", 1},
	Int16:   {"INT16", 2},
	Int32:   {"INT32", 4},
	Int64:   {"INT64", 8},
	Uint8:   {"UINT8", 1},
	Uint16:  {"UINT16", 2},
	Uint32:  {"UINT32", 4},
	Uint64:  {"UINT64", 8},
	FP16:    {"FP16", 2},
	BF16:    {"BF16", 2},
	FP32:    {"FP32", 4},
	FP64:    {"FP64", 8},
	Bytes:   {"BYTES", 0},
}

// String returns the protocol's name, such as FP32.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return dtypes[Invalid].name
}

// Size is the number of bytes an element takes; 0 for Bytes, whose elements differ.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// ParseDType is the inverse of String; ok is false for a name that is no type.
func ParseDType(name string) (d DType, ok bool) {
	for d := Bool; d <= Bytes; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return Invalid, false
}

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
