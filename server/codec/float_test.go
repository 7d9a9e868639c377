package codec_test

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// list is the JSON array that Append makes of numbers.
func list[T tensor.Element](t testing.TB, data []T) []byte {
	made, err := tensor.New([]int64{int64(len(data))}, data)
	require.NoError(t, err)
	got, err := codec.Append(nil, &codec.Response{Form: codec.Columns, Outputs: []tensor.Named{{Name: "y", Value: made}}})
	require.NoError(t, err)
	return got[len(`{"outputs":{"y":`) : len(got)-2]
}

// back is the numbers that Decode makes of a JSON array.
func back(t testing.TB, d tensor.DType, array []byte) any {
	got, err := decodeOne(d, string(array))
	require.NoError(t, err)
	return got
}

// TestEveryFloat32 writes and reads bit patterns: a sample of them over all exponents, and
// with SLIPWAY_EXHAUSTIVE=1 each of the positive ones (the sign is a character of its own).
func TestEveryFloat32(t *testing.T) {
	const block, finite = 1 << 16, 0x7f800000
	step := uint64(1511) // a prime, so that low bits are all met
	if os.Getenv("SLIPWAY_EXHAUSTIVE") != "" {
		step = 1
	}
	data := make([]float32, 0, block)
	for u := uint64(0); u < finite; {
		data = data[:0]
		for ; u < finite && len(data) < block; u += step {
			data = append(data, math.Float32frombits(uint32(u)))
		}
		sameAsJSON(t, data)
	}
}

// sameAsJSON holds what is written against encoding/json, and what is read against what was written.
func sameAsJSON(t testing.TB, data []float32) {
	plain, err := json.Marshal(data)
	require.NoError(t, err)
	got := list(t, data)
	if string(plain) != string(got) {
		p, g := strings.Split(string(plain), ","), strings.Split(string(got), ",")
		for i := range p {
			if p[i] != g[i] {
				tie(t, data[i], strings.Trim(p[i], "[]"), strings.Trim(g[i], "[]"))
			}
		}
	}
	for i, v := range back(t, tensor.FP32, got).([]float32) {
		if v != data[i] {
			t.Fatalf("read %v, wrote %v", v, data[i])
		}
	}
}

// tie checks that two texts for v are equally short and equally near: of those the
// standard library takes either, by its version.
func tie(t testing.TB, v float32, plain, got string) {
	require.Len(t, got, len(plain))
	exact, _ := new(big.Rat).SetString(strconv.FormatFloat(float64(v), 'f', 200, 64))
	p, ok := new(big.Rat).SetString(plain)
	require.True(t, ok)
	g, ok := new(big.Rat).SetString(got)
	require.True(t, ok)
	require.Zero(t, p.Sub(p, exact).Abs(p).Cmp(g.Sub(g, exact).Abs(g)), "%x: %s, ours is %s", math.Float32bits(v), plain, got)
}

// TestFloat32Edges are powers of two and ten with their neighbours, where rounding differs.
func TestFloat32Edges(t *testing.T) {
	data := []float32{0, math.MaxFloat32, math.SmallestNonzeroFloat32, 0x1p-126, 1e-6, 1e21, 1e-45, 9007199254740993}
	for exp := -149; exp < 128; exp++ {
		data = append(data, float32(math.Ldexp(1, exp)))
	}
	for exp := -45; exp < 39; exp++ {
		v, err := strconv.ParseFloat("1e"+strconv.Itoa(exp), 32)
		require.NoError(t, err)
		data = append(data, float32(v))
	}
	for _, v := range slices.Clip(data) {
		data = append(data, math.Nextafter32(v, 0), math.Nextafter32(v, math.MaxFloat32), -v)
	}
	sameAsJSON(t, data)
}

// TestFloat32Halfway reads decimals exactly between two numbers, and just beside.
func TestFloat32Halfway(t *testing.T) {
	for u := uint32(1); u < 0x7f7fffff; u += 0x12345 {
		low, high := float64(math.Float32frombits(u)), float64(math.Float32frombits(u+1))
		exact := strconv.FormatFloat((low+high)/2, 'f', -1, 64)
		digits := strconv.FormatFloat((low+high)/2, 'e', 200, 64)
		mant, exp, _ := strings.Cut(digits, "e")
		for _, text := range []string{exact, digits, mant + "1e" + exp, strconv.FormatFloat((low+high)/2, 'e', 18, 64), strconv.FormatFloat((low+high)/2, 'e', 15, 64)} {
			want, err := strconv.ParseFloat(text, 32)
			require.NoError(t, err)
			got, err := decodeOne(tensor.FP32, text)
			require.NoError(t, err)
			if got.([]float32)[0] != float32(want) {
				t.Fatalf("%s: read %v, want %v", text, got, want)
			}
		}
	}
}

// TestEveryFloat16 writes and reads every FP16, with no more digits than are needed.
func TestEveryFloat16(t *testing.T) {
	for u := range uint32(0x7c00) {
		h := tensor.Float16(u)
		text := list(t, []tensor.Float16{h})
		require.Equal(t, []tensor.Float16{h}, back(t, tensor.FP16, text), "%s", text)
		most := 1
		for ; ; most++ {
			v, err := strconv.ParseFloat(strconv.FormatFloat(float64(h.Float32()), 'e', most-1, 64), 64)
			require.NoError(t, err)
			if tensor.ToFloat16(float32(v)) == h {
				break
			}
		}
		mant, _, _ := strings.Cut(strings.Trim(string(text), "[]"), "e")
		digits := strings.Trim(strings.Replace(mant, ".", "", 1), "0")
		require.LessOrEqual(t, len(digits), most, "%s", text)
	}
}

func TestEveryBFloat16(t *testing.T) {
	for u := range uint32(0x7f80) {
		b := tensor.BFloat16(u)
		require.Equal(t, []float32{b.Float32()}, back(t, tensor.FP32, list(t, []tensor.BFloat16{b})))
	}
}

func TestIntegersRoundTrip(t *testing.T) {
	var data []int64
	for p, n := int64(1), 0; n < 19; p, n = p*10, n+1 {
		data = append(data, p, p-1, p+1, -p, 1-p, -p-1)
	}
	plain, err := json.Marshal(data)
	require.NoError(t, err)
	assert.Equal(t, string(plain), string(list(t, data)))
	assert.Equal(t, data, back(t, tensor.Int64, plain))
}
