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
	r, err := codec.DecodeV1([]byte(`{"inputs":`+text+`}`), []tensor.Spec{spec("x", d)})
	if err != nil {
		return nil, err
	}
	return r.Inputs[0].Value.(*tensor.Tensor).Data, nil
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		dtype tensor.DType
		text  string
		want  any
	}{
		{tensor.Bool, `true`, []bool{true}},
		{tensor.Bool, `false`, []bool{false}},
		{tensor.Int8, `-128`, []int8{-128}},
		{tensor.Int8, `127`, []int8{127}},
		{tensor.Int16, `-32768`, []int16{-32768}},
		{tensor.Int32, `2147483647`, []int32{math.MaxInt32}},
		{tensor.Int64, `-9223372036854775808`, []int64{math.MinInt64}},
		{tensor.Int64, `9223372036854775807`, []int64{math.MaxInt64}},
		{tensor.Int64, `9007199254740993`, []int64{1<<53 + 1}},
		{tensor.Int64, `-0`, []int64{0}},
		{tensor.Int64, `1.0`, []int64{1}},
		{tensor.Int64, `-1.50e1`, []int64{-15}},
		{tensor.Int64, `1e3`, []int64{1000}},
		{tensor.Int64, `120E-1`, []int64{12}},
		{tensor.Int64, `0.0e-99`, []int64{0}},
		{tensor.Int64, `0.001e3`, []int64{1}},
		{tensor.Int64, `922337203685477580.7e+1`, []int64{math.MaxInt64}},
		{tensor.Uint8, `255`, []uint8{255}},
		{tensor.Uint8, `-0`, []uint8{0}},
		{tensor.Uint16, `65535`, []uint16{65535}},
		{tensor.Uint32, `4294967295`, []uint32{math.MaxUint32}},
		{tensor.Uint64, `18446744073709551615`, []uint64{math.MaxUint64}},
		{tensor.Uint64, `10000000000000000000`, []uint64{1e19}},
		{tensor.FP16, `65504`, []tensor.Float16{0x7bff}},
		{tensor.FP16, `65519.9`, []tensor.Float16{0x7bff}},
		{tensor.FP16, `-0.1`, []tensor.Float16{0xae66}},
		{tensor.FP16, `1.00048828125`, []tensor.Float16{0x3c00}},  // halfway: to even
		{tensor.FP16, `1.000488281251`, []tensor.Float16{0x3c01}}, // a float32 in between would say halfway
		{tensor.FP16, `1.001464843749`, []tensor.Float16{0x3c01}},
		{tensor.FP16, `5.9604644775390625e-8`, []tensor.Float16{1}},
		{tensor.FP32, `0.1`, []float32{0.1}},
		{tensor.FP32, `1`, []float32{1}},
		{tensor.FP32, `0`, []float32{0}},
		{tensor.FP32, `0e999999999999999999999`, []float32{0}},
		{tensor.FP32, `1e-999999999999999999999`, []float32{0}},
		{tensor.FP32, `3.4028235e38`, []float32{math.MaxFloat32}},
		{tensor.FP32, `1e-45`, []float32{math.SmallestNonzeroFloat32}},
		{tensor.FP32, `16777217`, []float32{1 << 24}},                                              // halfway: to even
		{tensor.FP32, `16777217.000000000000000000000001`, []float32{1<<24 + 2}},                   // just above
		{tensor.FP32, `1.00000017881393432617187499`, []float32{math.Float32frombits(0x3f800001)}}, // just below halfway
		{tensor.FP32, `0.12345679104328156`, []float32{0.12345679104328156}},
		{tensor.FP64, `0.1`, []float64{0.1}},
		{tensor.FP64, `1.7976931348623157e308`, []float64{math.MaxFloat64}},
		{tensor.FP64, `5e-324`, []float64{math.SmallestNonzeroFloat64}},
		{tensor.FP64, `9007199254740993`, []float64{1 << 53}},
		{tensor.FP64, `1234567890123456789012345678901234567890`, []float64{1234567890123456789012345678901234567890}},
	}
	for _, tt := range tests {
		got, err := decodeOne(tt.dtype, tt.text)
		require.NoError(t, err, "%s %s", tt.dtype, tt.text)
		assert.Equal(t, tt.want, got, "%s %s", tt.dtype, tt.text)
	}
	for _, d := range []tensor.DType{tensor.FP32, tensor.FP64} {
		got, err := decodeOne(d, `-0.0`)
		require.NoError(t, err)
		switch v := got.(type) {
		case []float32:
			assert.True(t, math.Signbit(float64(v[0])))
		case []float64:
			assert.True(t, math.Signbit(v[0]))
		}
	}
}

func TestNumbersRefused(t *testing.T) {
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
		{tensor.FP32, `null`, "got null, expected a number"},
		{tensor.FP32, `[[{}]]`, "got an object"},
		{tensor.FP32, `+1`, "no plus sign"},
		{tensor.FP32, `01`, "no leading zeros"},
		{tensor.FP32, `-01.5`, "no leading zeros"},
		{tensor.FP32, `.5`, `got ".5"`},
		{tensor.FP32, `5.`, `got "5."`},
		{tensor.FP32, `-`, `got "-"`},
		{tensor.FP32, `--1`, `got "--1"`},
		{tensor.FP32, `1e`, `got "1e"`},
		{tensor.FP32, `1e+`, `got "1e+"`},
		{tensor.FP32, `1.e1`, `got "1.e1"`},
		{tensor.FP32, `1x`, `got "x"`},
		{tensor.FP32, `0x10`, `got "x10"`},
		{tensor.FP32, `1_000`, `got "_000"`},
		{tensor.FP32, `1.2.3`, `got ".3"`},
		{tensor.FP32, `１`, `expected a number`},
		{tensor.FP32, `1e999`, `"1e999" overflows FP32`},
		{tensor.FP32, `3.5e38`, `overflows FP32`},
		{tensor.FP32, `-1e39`, `overflows FP32`},
		{tensor.FP64, `1e309`, `overflows FP64`},
		{tensor.FP16, `65520`, `"65520" overflows FP16`},
		{tensor.FP16, `1e999`, `overflows FP16`},
		{tensor.Bool, `1`, `got "1", expected true or false`},
		{tensor.Bool, `"true"`, "got a string, expected true or false"},
		{tensor.Bool, `truer`, `got "truer"`},
		{tensor.Bool, `null`, "got null"},
		{tensor.Int8, `128`, `"128" does not fit INT8`},
		{tensor.Int8, `300`, `"300" does not fit INT8`},
		{tensor.Int8, `-129`, `does not fit INT8`},
		{tensor.Int64, `9223372036854775808`, "does not fit INT64"},
		{tensor.Int64, `-9223372036854775809`, "does not fit INT64"},
		{tensor.Int64, `18446744073709551616`, "does not fit INT64"},
		{tensor.Int64, `1e99999999999`, "does not fit INT64"},
		{tensor.Int64, `1.5`, `got "1.5", expected a whole number (INT64)`},
		{tensor.Int64, `1e-1`, "expected a whole number (INT64)"},
		{tensor.Int64, `1e-99999999999999999999`, "expected a whole number (INT64)"},
		{tensor.Int64, `"1"`, "got a string, expected a whole number (INT64)"},
		{tensor.Int64, `007`, "no leading zeros"},
		{tensor.Int64, `1.`, "expected a whole number"},
		{tensor.Uint8, `-1`, `"-1" does not fit UINT8`},
		{tensor.Uint8, `256`, "does not fit UINT8"},
		{tensor.Uint64, `-1`, "does not fit UINT64"},
		{tensor.Uint64, `18446744073709551616`, "does not fit UINT64"},
		{tensor.Bytes, `1`, `got "1", expected a string`},
		{tensor.Bytes, `null`, "got null, expected a string"},
	}
	for _, tt := range tests {
		got, err := decodeOne(tt.dtype, tt.text)
		require.Error(t, err, "%s %s: got %v", tt.dtype, tt.text, got)
		assert.Contains(t, err.Error(), tt.want, "%s %s", tt.dtype, tt.text)
	}
}

func TestStrings(t *testing.T) {
	good := map[string]string{
		`""`:                   "",
		`"plain"`:              "plain",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"\u0041\u00e9\u20AC"`: "Aé€",
		`"\ud83d\ude00 and 😀"`: "😀 and 😀",
		`"\u0000"`:             "\x00",
		`"tail \\"`:            `tail \`,
		"\"\u2028 \x7f\"":      "\u2028 \x7f",
	}
	for text, want := range good {
		got, err := decodeOne(tensor.Bytes, text)
		require.NoError(t, err, text)
		assert.Equal(t, []string{want}, got, text)
	}
	bad := map[string]string{
		`"open`:               "has no end",
		`"open\"`:             "has no end",
		"\"line\nbreak\"":     "control character 0x0a",
		"\"a\\tline\nbreak\"": "control character 0x0a",
		`"\x41"`:              "unknown escape",
		`"\'"`:                "unknown escape",
		`"\u12"`:              `bad \u escape`,
		`"\u12g4"`:            `bad \u escape`,
		`"\ud83d"`:            "lone surrogate",
		`"\ud83d\u0041"`:      "lone surrogate",
		`"\ude00"`:            "lone surrogate",
		`"\ude00\ud83d"`:      "lone surrogate",
		"\"\xff\"":            "not valid UTF-8",
		"\"\xc0\x80\"":        "not valid UTF-8",
		"\"\\n\xed\xa0\x80\"": "not valid UTF-8",
	}
	for text, want := range bad {
		_, err := decodeOne(tensor.Bytes, text)
		require.ErrorContains(t, err, want, text)
	}
}
