package number_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// FuzzRead reads any text with every reader and compares with encoding/json and math/big.
func FuzzRead(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	for _, s := range []string{"1e3", "1.5", "18446744073709551615", "1e400", "0.1e-45", "1.e1", "16777217.000000000000000000001", "123456789012345678901234567890e-20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		compareFloat(t, number.Float32, text)
		compareFloat(t, number.Float64, text)
		compareInteger(t, number.Integer[int8], text, math.MinInt8, math.MaxInt8)
		compareInteger(t, number.Integer[int64], text, math.MinInt64, math.MaxInt64)
		compareInteger(t, number.Integer[uint16], text, 0, math.MaxUint16)
		compareInteger(t, number.Integer[uint64], text, 0, math.MaxUint64)
		compareFloat16(t, text)
	})
}

// compareFloat reads the number that a text begins with and checks that encoding/json reads the
// same from it, or that the text is not a number when none is read.
func compareFloat[T float32 | float64](t *testing.T, read func([]byte, int) (T, int, error), text string) {
	got, end, err := read([]byte(text), 0)
	var want T
	wantErr := json.Unmarshal([]byte(text[:end]), &want)
	switch {
	case err == nil:
		require.NoError(t, wantErr, "%q", text[:end])
		require.Equal(t, want, got, "%q", text[:end])
	case end > 0:
		require.ErrorIs(t, err, number.ErrRange)
		require.Error(t, wantErr, "%q", text[:end])
		require.True(t, json.Valid([]byte(text[:end])), "%q", text[:end])
	default:
		require.ErrorIs(t, err, number.ErrSyntax)
		require.False(t, isNumber(text), "%q", text)
	}
}

// isNumber reports whether a text is a number of JSON as a whole.
func isNumber(text string) bool {
	return json.Valid([]byte(text)) && len(text) > 0 && (text[0] == '-' || text[0]-'0' <= 9) && text[len(text)-1]-'0' <= 9
}

// compareInteger checks an integer against the exact value of the same text.
func compareInteger[T int8 | int64 | uint16 | uint64](t *testing.T, read func([]byte, int) (T, int, error), text string, least, most float64) {
	got, end, err := read([]byte(text), 0)
	if end == 0 {
		require.ErrorIs(t, err, number.ErrSyntax)
		require.False(t, isNumber(text), "%q", text)
		return
	}
	require.True(t, isNumber(text[:end]), "%q", text[:end])
	if exponent := exponentOf(text[:end]); exponent < -1000 || exponent > 1000 {
		return // math/big would take all memory
	}
	exact, ok := new(big.Rat).SetString(text[:end])
	require.True(t, ok, "%q", text[:end])
	fits := exact.Cmp(new(big.Rat).SetFloat64(least)) >= 0
	if most == math.MaxInt64 || most == math.MaxUint64 { // as float64 they are one more
		fits = fits && exact.Cmp(new(big.Rat).SetFloat64(most)) < 0
	} else {
		fits = fits && exact.Cmp(new(big.Rat).SetFloat64(most)) <= 0
	}
	switch {
	case !exact.IsInt():
		require.ErrorIs(t, err, number.ErrFraction, "%q", text[:end])
	case !fits:
		require.ErrorIs(t, err, number.ErrRange, "%q", text[:end])
	default:
		require.NoError(t, err, "%q", text[:end])
		value, _ := new(big.Int).SetString(put(number.PutInteger, got), 10)
		require.Zero(t, exact.Num().Cmp(value), "%q: got %v", text[:end], got)
	}
}

func exponentOf(text string) int {
	for i, c := range text {
		if c|0x20 == 'e' {
			exponent, err := strconv.Atoi(text[i+1:])
			if err != nil {
				return math.MaxInt
			}
			return exponent
		}
	}
	return 0
}

// compareFloat16 checks that FP16 is the nearest one to the FP64.
func compareFloat16(t *testing.T, text string) {
	got, end, err := number.Float16([]byte(text), 0)
	if err != nil {
		return
	}
	exact, wideEnd, err := number.Float64([]byte(text), 0)
	require.NoError(t, err)
	require.Equal(t, wideEnd, end)
	if magnitude := got & 0x7fff; magnitude == 0 || magnitude == 0x7bff {
		return // one neighbour is of the other sign or infinite
	}
	distance := math.Abs(float64(got.Float32()) - exact)
	for _, neighbour := range []tensor.Float16{got - 1, got + 1} {
		require.LessOrEqual(t, distance, math.Abs(float64(neighbour.Float32())-exact), "%q", text[:end])
	}
}

// FuzzFloat32 writes and reads any bit pattern, and reads any decimal, and compares with the
// standard library.
func FuzzFloat32(f *testing.F) {
	f.Add(uint32(0x3f800000), uint64(16777217), int16(0))
	f.Add(uint32(1), uint64(9007199254740993), int16(-30))
	f.Fuzz(func(t *testing.T, bits uint32, mant uint64, exp int16) {
		v := math.Float32frombits(bits)
		if v == v && !math.IsInf(float64(v), 0) {
			compareWithJSON(t, []float32{v})
		}
		text := strconv.FormatUint(mant, 10) + "e" + strconv.Itoa(int(exp)%60)
		compareFloat(t, number.Float32, text)
		compareFloat(t, number.Float64, text)
		compareFloat(t, number.Float32, strconv.FormatFloat(float64(v), 'f', int(uint16(exp)%60), 64))
	})
}

// FuzzFloat32s compares what is read many numbers at a time with what Float32 reads.
func FuzzFloat32s(f *testing.F) {
	for _, s := range awkward {
		f.Add(s)
	}
	f.Fuzz(compareWithFloat32)
}
