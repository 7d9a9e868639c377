package codec_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// decodeOne reads a body whose only element is the text.
func decodeOne(d tensor.DType, text string) (any, error) {
	r, err := codec.DecodeV1([]byte(`{"inputs":`+text+`}`), codec.Signature{Inputs: []tensor.Spec{spec("x", d)}})
	if err != nil {
		return nil, err
	}
	return r.Inputs[0].Value.(*tensor.Tensor).Data, nil
}

// TestScalars reads a value of each type: package number tests the numbers themselves.
func TestScalars(t *testing.T) {
	tests := []struct {
		dtype tensor.DType
		text  string
		want  any
	}{
		{tensor.Bool, `true`, []bool{true}},
		{tensor.Bool, `false`, []bool{false}},
		{tensor.Int8, `-128`, []int8{-128}},
		{tensor.Int16, `-32768`, []int16{-32768}},
		{tensor.Int32, `2147483647`, []int32{math.MaxInt32}},
		{tensor.Int64, `-9223372036854775808`, []int64{math.MinInt64}},
		{tensor.Int64, `9007199254740993`, []int64{1<<53 + 1}},
		{tensor.Int64, `-1.50e1`, []int64{-15}},
		{tensor.Uint8, `255`, []uint8{255}},
		{tensor.Uint16, `65535`, []uint16{65535}},
		{tensor.Uint32, `4294967295`, []uint32{math.MaxUint32}},
		{tensor.Uint64, `18446744073709551615`, []uint64{math.MaxUint64}},
		{tensor.FP16, `-0.1`, []tensor.Float16{0xae66}},
		{tensor.FP32, `0.1`, []float32{0.1}},
		{tensor.FP32, `16777217.000000000000000000000001`, []float32{1<<24 + 2}},
		{tensor.FP32, " \t\r\n-0.5e1 \n", []float32{-5}},
		{tensor.FP64, `1.7976931348623157e308`, []float64{math.MaxFloat64}},
	}
	for _, tt := range tests {
		got, err := decodeOne(tt.dtype, tt.text)
		require.NoError(t, err, "%s %s", tt.dtype, tt.text)
		assert.Equal(t, tt.want, got, "%s %s", tt.dtype, tt.text)
	}
}

func TestScalarsRefused(t *testing.T) {
	tests := []struct {
		dtype      tensor.DType
		text, want string
	}{
		{tensor.FP32, `NaN`, "got NaN, which JSON does not have, expected a number (FP32)"},
		{tensor.FP32, `Infinity`, "got Infinity, which JSON does not have"},
		{tensor.FP32, `-Infinity`, "got -Infinity, which JSON does not have"},
		{tensor.FP64, `nan`, "got nan, which JSON does not have"},
		{tensor.FP32, `"NaN"`, "got a string, expected a number"},
		{tensor.FP32, `"1"`, "got a string, expected a number"},
		{tensor.FP32, `true`, "got true, expected a number"},
		{tensor.FP32, `[null]`, "got null, expected a number"},
		{tensor.FP32, `[[{}]]`, "got an object"},
		{tensor.FP32, `+1`, "no plus sign"},
		{tensor.FP32, `01`, "no leading zeros"},
		{tensor.FP32, `-01.5`, "no leading zeros"},
		{tensor.FP32, `.5`, "got .5, which JSON does not have"},
		{tensor.FP32, `5.`, "got 5., which JSON does not have"},
		{tensor.FP32, `-`, "got -, which JSON does not have"},
		{tensor.FP32, `--1`, "got --1, which JSON does not have"},
		{tensor.FP32, `1e`, "got 1e, which JSON does not have"},
		{tensor.FP32, `1e+`, "got 1e+, which JSON does not have"},
		{tensor.FP32, `1.e1`, "got 1.e1, which JSON does not have"},
		{tensor.FP32, `1x`, "got x at byte 11, which JSON does not have"},
		{tensor.FP32, `0x10`, "got x10 at byte 11, which JSON does not have"},
		{tensor.FP32, `1_000`, "got _000 at byte 11, which JSON does not have"},
		{tensor.FP32, `1.2.3`, "got .3 at byte 13, which JSON does not have"},
		{tensor.FP32, `１`, `expected a number`},
		{tensor.FP32, `1e999`, "the number 1e999 overflows FP32"},
		{tensor.FP32, `3.5e38`, `overflows FP32`},
		{tensor.FP32, `-1e39`, `overflows FP32`},
		{tensor.FP64, `1e309`, `overflows FP64`},
		{tensor.FP16, `65520`, "the number 65520 overflows FP16"},
		{tensor.FP16, `1e999`, `overflows FP16`},
		{tensor.Bool, `1`, "got the number 1, expected true or false"},
		{tensor.Bool, `"true"`, "got a string, expected true or false"},
		{tensor.Bool, `truer`, "got truer, which JSON does not have, expected true or false"},
		{tensor.Bool, `[null]`, "got null"},
		{tensor.Int8, `128`, "the number 128 does not fit INT8"},
		{tensor.Int8, `300`, "the number 300 does not fit INT8"},
		{tensor.Int8, `-129`, `does not fit INT8`},
		{tensor.Int64, `9223372036854775808`, "does not fit INT64"},
		{tensor.Int64, `-9223372036854775809`, "does not fit INT64"},
		{tensor.Int64, `18446744073709551616`, "does not fit INT64"},
		{tensor.Int64, `1e99999999999`, "does not fit INT64"},
		{tensor.Int64, `1.5`, "got the number 1.5, expected a whole number (INT64)"},
		{tensor.Int64, `1e-1`, "expected a whole number (INT64)"},
		{tensor.Int64, `1e-99999999999999999999`, "expected a whole number (INT64)"},
		{tensor.Int64, `"1"`, "got a string, expected a whole number (INT64)"},
		{tensor.Int64, `007`, "no leading zeros"},
		{tensor.Int64, `1.`, "expected a whole number"},
		{tensor.Uint8, `-1`, "the number -1 does not fit UINT8"},
		{tensor.Uint8, `256`, "does not fit UINT8"},
		{tensor.Uint64, `-1`, "does not fit UINT64"},
		{tensor.Uint64, `18446744073709551616`, "does not fit UINT64"},
		{tensor.Bytes, `1`, "got the number 1, expected a string"},
		{tensor.Bytes, `[null]`, "got null, expected a string"},
		{tensor.Bytes, `True`, "got True, which JSON does not have, expected a string"},
	}
	for _, tt := range tests {
		got, err := decodeOne(tt.dtype, tt.text)
		require.Error(t, err, "%s %s: got %v", tt.dtype, tt.text, got)
		assert.Contains(t, err.Error(), tt.want, "%s %s", tt.dtype, tt.text)
	}
}
