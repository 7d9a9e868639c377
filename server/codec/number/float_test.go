package number_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// put is what a Put function writes.
func put[T any](write func(*[number.Size]byte, T) int, v T) string {
	var b [number.Size]byte
	return string(b[:write(&b, v)])
}

// read is the number that a text is as a whole.
func read[T any](t testing.TB, reader func([]byte, int) (T, int, error), text string) T {
	v, end, err := reader([]byte(text), 0)
	require.NoError(t, err, text)
	require.Equal(t, len(text), end, text)
	return v
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
		compareWithJSON(t, data)
	}
}

// compareWithJSON compares the texts of numbers with those of encoding/json, and the numbers with those
// that Float32s and Float32 read from the texts.
func compareWithJSON(t testing.TB, data []float32) {
	want, err := json.Marshal(data)
	require.NoError(t, err)
	const before = 16 // Float32s loads up to 16 bytes before a number
	got := []byte(strings.Repeat(" ", before-1) + "[")
	for i, v := range data {
		if i > 0 {
			got = append(got, ',')
		}
		got = append(got, put(number.PutFloat32, v)...)
	}
	got = append(got, ']')
	if string(want) != string(got[before-1:]) {
		w, g := strings.Split(string(want), ","), strings.Split(string(got[before-1:]), ",")
		for i := range w {
			if w[i] != g[i] {
				requireTie(t, data[i], strings.Trim(w[i], "[]"), strings.Trim(g[i], "[]"))
			}
		}
	}
	back := make([]float32, len(data))
	for i, at := 0, before; i < len(data); {
		n, end := number.Float32s(got, at, back[i:])
		i, at = i+n, end
		if i < len(data) {
			back[i], end, err = number.Float32(got, at)
			require.NoError(t, err)
			i, at = i+1, end+1
		}
	}
	for i, v := range back {
		if v != data[i] {
			t.Fatalf("read %v, wrote %v", v, data[i])
		}
	}
}

// requireTie checks that two texts for v are equally short and equally near. The standard library
// writes either of them, depending on its version.
func requireTie(t testing.TB, v float32, want, got string) {
	require.Len(t, got, len(want))
	exact, _ := new(big.Rat).SetString(strconv.FormatFloat(float64(v), 'f', 200, 64))
	w, ok := new(big.Rat).SetString(want)
	require.True(t, ok)
	g, ok := new(big.Rat).SetString(got)
	require.True(t, ok)
	require.Zero(t, w.Sub(w, exact).Abs(w).Cmp(g.Sub(g, exact).Abs(g)), "%x: %s, ours is %s", math.Float32bits(v), want, got)
}

// TestFloat32Edges takes powers of two and ten with their neighbours, where rounding differs.
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
	compareWithJSON(t, data)
}

// TestFloat32Midpoints reads decimals exactly between two numbers, and just beside.
func TestFloat32Midpoints(t *testing.T) {
	for u := uint32(1); u < 0x7f7fffff; u += 0x12345 {
		low, high := float64(math.Float32frombits(u)), float64(math.Float32frombits(u+1))
		exact := strconv.FormatFloat((low+high)/2, 'f', -1, 64)
		digits := strconv.FormatFloat((low+high)/2, 'e', 200, 64)
		mant, exp, _ := strings.Cut(digits, "e")
		for _, text := range []string{exact, digits, mant + "1e" + exp, strconv.FormatFloat((low+high)/2, 'e', 18, 64), strconv.FormatFloat((low+high)/2, 'e', 15, 64)} {
			want, err := strconv.ParseFloat(text, 32)
			require.NoError(t, err)
			if got := read(t, number.Float32, text); got != float32(want) {
				t.Fatalf("%s: read %v, want %v", text, got, want)
			}
		}
	}
}

// TestFloat64 compares the texts of random bit patterns, and of the edges of the format, with
// those of encoding/json.
func TestFloat64(t *testing.T) {
	data := []float64{0, math.Copysign(0, -1), 1, -0.1, 1e-6, 9.999999999999999e-7, 1e21, 9.999999999999999e20, 1.2345678901234567e-6,
		-math.MaxFloat64, -math.SmallestNonzeroFloat64, -1e-9, 1e-10, 1.5e-10, 1e100}
	r := rand.New(rand.NewPCG(1, 2))
	for len(data) < 100_000 {
		if v := math.Float64frombits(r.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
			data = append(data, v, math.Mod(v, 1e6))
		}
	}
	for _, v := range data {
		want, err := json.Marshal(v)
		require.NoError(t, err)
		text := put(number.PutFloat64, v)
		require.Equal(t, string(want), text)
		require.Equal(t, math.Float64bits(v), math.Float64bits(read(t, number.Float64, text)), text)
	}
}

// TestEveryFloat16 writes and reads every FP16, with no more digits than are needed.
func TestEveryFloat16(t *testing.T) {
	for u := range uint32(0x7c00) {
		h := tensor.Float16(u)
		text := put(number.PutFloat16, h)
		require.Equal(t, h, read(t, number.Float16, text), text)
		most := 1
		for ; ; most++ {
			v, err := strconv.ParseFloat(strconv.FormatFloat(float64(h.Float32()), 'e', most-1, 64), 64)
			require.NoError(t, err)
			if tensor.ToFloat16(float32(v)) == h {
				break
			}
		}
		mant, _, _ := strings.Cut(text, "e")
		digits := strings.Trim(strings.Replace(mant, ".", "", 1), "0")
		require.LessOrEqual(t, len(digits), most, text)
		require.Equal(t, "-"+text, put(number.PutFloat16, h|0x8000))
	}
}

func TestEveryBFloat16(t *testing.T) {
	for u := range uint32(0x7f80) {
		b := tensor.BFloat16(u)
		require.Equal(t, b.Float32(), read(t, number.Float32, put(number.PutBFloat16, b)))
	}
}

func TestNonFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for want, got := range map[string][]string{
		`"NaN"`:       {put(number.PutFloat16, 0x7e00), put(number.PutBFloat16, 0x7fc0), put(number.PutFloat32, float32(nan)), put(number.PutFloat64, nan), put(number.PutFloat64, math.Copysign(nan, -1))},
		`"Infinity"`:  {put(number.PutFloat16, 0x7c00), put(number.PutBFloat16, 0x7f80), put(number.PutFloat32, float32(inf)), put(number.PutFloat64, inf)},
		`"-Infinity"`: {put(number.PutFloat16, 0xfc00), put(number.PutBFloat16, 0xff80), put(number.PutFloat32, float32(-inf)), put(number.PutFloat64, -inf)},
	} {
		for _, text := range got {
			assert.Equal(t, want, text)
		}
	}
}

func TestIntegers(t *testing.T) {
	data := []int64{0, math.MaxInt64, math.MinInt64}
	for p, n := int64(1), 0; n < 19; p, n = p*10, n+1 {
		data = append(data, p, p-1, p+1, -p, 1-p, -p-1)
	}
	for _, v := range data {
		text := put(number.PutInteger, v)
		assert.Equal(t, strconv.FormatInt(v, 10), text)
		assert.Equal(t, v, read(t, number.Integer[int64], text))
		text = put(number.PutInteger, uint64(v))
		assert.Equal(t, strconv.FormatUint(uint64(v), 10), text)
		assert.Equal(t, uint64(v), read(t, number.Integer[uint64], text))
	}
	for v := range 1 << 16 {
		require.Equal(t, strconv.Itoa(v), put(number.PutInteger, uint16(v)))
		require.Equal(t, strconv.Itoa(int(int16(v))), put(number.PutInteger, int16(v)))
	}
}
