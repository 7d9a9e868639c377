package number_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// reader is a reader of any type.
type reader func(text string) (v any, end int, err error)

func readerOf[T any](read func([]byte, int) (T, int, error)) reader {
	return func(text string) (any, int, error) { return read([]byte(text), 0) }
}

var (
	readInt8    = readerOf(number.Integer[int8])
	readInt16   = readerOf(number.Integer[int16])
	readInt32   = readerOf(number.Integer[int32])
	readInt64   = readerOf(number.Integer[int64])
	readUint8   = readerOf(number.Integer[uint8])
	readUint16  = readerOf(number.Integer[uint16])
	readUint32  = readerOf(number.Integer[uint32])
	readUint64  = readerOf(number.Integer[uint64])
	readFloat16 = readerOf(number.Float16)
	readFloat32 = readerOf(number.Float32)
	readFloat64 = readerOf(number.Float64)
)

func TestRead(t *testing.T) {
	tests := []struct {
		read reader
		text string
		want any
	}{
		{readInt8, `-128`, int8(-128)},
		{readInt8, `127`, int8(127)},
		{readInt16, `-32768`, int16(-32768)},
		{readInt32, `2147483647`, int32(math.MaxInt32)},
		{readInt64, `-9223372036854775808`, int64(math.MinInt64)},
		{readInt64, `9223372036854775807`, int64(math.MaxInt64)},
		{readInt64, `9007199254740993`, int64(1<<53 + 1)},
		{readInt64, `-0`, int64(0)},
		{readInt64, `1.0`, int64(1)},
		{readInt64, `-1.50e1`, int64(-15)},
		{readInt64, `1e3`, int64(1000)},
		{readInt64, `120E-1`, int64(12)},
		{readInt64, `0.0e-99`, int64(0)},
		{readInt64, `0.001e3`, int64(1)},
		{readInt64, `922337203685477580.7e+1`, int64(math.MaxInt64)},
		{readUint8, `255`, uint8(255)},
		{readUint8, `-0`, uint8(0)},
		{readUint16, `65535`, uint16(65535)},
		{readUint32, `4294967295`, uint32(math.MaxUint32)},
		{readUint64, `18446744073709551615`, uint64(math.MaxUint64)},
		{readUint64, `10000000000000000000`, uint64(1e19)},
		{readFloat16, `65504`, tensor.Float16(0x7bff)},
		{readFloat16, `65519.9`, tensor.Float16(0x7bff)},
		{readFloat16, `-0.1`, tensor.Float16(0xae66)},
		{readFloat16, `1.00048828125`, tensor.Float16(0x3c00)},  // the midpoint: to even
		{readFloat16, `1.000488281251`, tensor.Float16(0x3c01)}, // the midpoint only for a float32
		{readFloat16, `1.001464843749`, tensor.Float16(0x3c01)},
		{readFloat16, `5.9604644775390625e-8`, tensor.Float16(1)},
		{readFloat32, `0.1`, float32(0.1)},
		{readFloat32, `1`, float32(1)},
		{readFloat32, `0`, float32(0)},
		{readFloat32, `0e999999999999999999999`, float32(0)},
		{readFloat32, `1e-999999999999999999999`, float32(0)},
		{readFloat32, `3.4028235e38`, float32(math.MaxFloat32)},
		{readFloat32, `1e-45`, float32(math.SmallestNonzeroFloat32)},
		{readFloat32, `16777217`, float32(1 << 24)},                                     // the midpoint: to even
		{readFloat32, `16777217.000000000000000000000001`, float32(1<<24 + 2)},          // just above it
		{readFloat32, `1.00000017881393432617187499`, math.Float32frombits(0x3f800001)}, // just below the midpoint
		{readFloat32, `0.12345679104328156`, float32(0.12345679104328156)},
		{readFloat64, `0.1`, 0.1},
		{readFloat64, `1.7976931348623157e308`, math.MaxFloat64},
		{readFloat64, `5e-324`, math.SmallestNonzeroFloat64},
		{readFloat64, `9007199254740993`, float64(1 << 53)},
		{readFloat64, `1234567890123456789012345678901234567890`, 1234567890123456789012345678901234567890.0},
	}
	for _, tt := range tests {
		for _, after := range []string{"", ",1", "]", " ", "\x00"} {
			got, end, err := tt.read(tt.text + after)
			require.NoError(t, err, tt.text)
			assert.Equal(t, tt.want, got, tt.text)
			assert.Equal(t, len(tt.text), end, "the end of %s", tt.text)
		}
	}
	zero32, _, err := number.Float32([]byte(`-0.0`), 0)
	require.NoError(t, err)
	assert.True(t, math.Signbit(float64(zero32)))
	zero64, _, err := number.Float64([]byte(`-0.0`), 0)
	require.NoError(t, err)
	assert.True(t, math.Signbit(zero64))
}

func TestReadStartsAtAPosition(t *testing.T) {
	body := []byte("12,-3.5")
	n, end, err := number.Integer[int64](body, 1)
	require.NoError(t, err)
	assert.Equal(t, int64(2), n)
	assert.Equal(t, 2, end)
	f, end, err := number.Float32(body, 3)
	require.NoError(t, err)
	assert.Equal(t, float32(-3.5), f)
	assert.Equal(t, 7, end)
}

func TestReadRefuses(t *testing.T) {
	all := []reader{readInt8, readInt64, readUint8, readUint64, readFloat16, readFloat32, readFloat64}
	for _, text := range []string{``, ` 1`, `NaN`, `Infinity`, `-Infinity`, `"1"`, `true`, `null`, `[1]`, `+1`, `01`, `007`, `-01.5`,
		`.5`, `5.`, `1.`, `-`, `--1`, `1e`, `1e+`, `1.e1`, `１`, `,`} {
		for _, read := range all {
			_, end, err := read(text)
			assert.ErrorIs(t, err, number.ErrSyntax, text)
			assert.Zero(t, end, text)
		}
	}
	tests := []struct {
		read reader
		text string
		want error
	}{
		{readFloat32, `1e999`, number.ErrRange},
		{readFloat32, `3.5e38`, number.ErrRange},
		{readFloat32, `-1e39`, number.ErrRange},
		{readFloat64, `1e309`, number.ErrRange},
		{readFloat16, `65520`, number.ErrRange},
		{readFloat16, `1e999`, number.ErrRange},
		{readInt8, `128`, number.ErrRange},
		{readInt8, `300`, number.ErrRange},
		{readInt8, `-129`, number.ErrRange},
		{readInt64, `9223372036854775808`, number.ErrRange},
		{readInt64, `-9223372036854775809`, number.ErrRange},
		{readInt64, `18446744073709551616`, number.ErrRange},
		{readInt64, `1e99999999999`, number.ErrRange},
		{readUint8, `-1`, number.ErrRange},
		{readUint8, `256`, number.ErrRange},
		{readUint64, `-1`, number.ErrRange},
		{readUint64, `18446744073709551616`, number.ErrRange},
		{readInt64, `1.5`, number.ErrFraction},
		{readInt64, `1e-1`, number.ErrFraction},
		{readInt64, `1e-99999999999999999999`, number.ErrFraction},
	}
	for _, tt := range tests {
		_, end, err := tt.read(tt.text + ",")
		assert.ErrorIs(t, err, tt.want, tt.text)
		assert.Equal(t, len(tt.text), end, "the end of %s", tt.text)
	}
}
