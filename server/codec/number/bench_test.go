package number_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"slipway/server/codec/number"
)

// The benchmarks of package codec compare whole bodies with other libraries. These measure one
// reader or writer.

const benchmarked = 10_000

func BenchmarkRead(b *testing.B) {
	floats, integers := samples()
	b.Run("Float32", func(b *testing.B) { benchmarkRead(b, floats, number.PutFloat32, number.Float32) })
	b.Run("Integer", func(b *testing.B) { benchmarkRead(b, integers, number.PutInteger[int64], number.Integer[int64]) })
	b.Run("Float32s", func(b *testing.B) {
		text := listOf(floats, number.PutFloat32)
		into := make([]float32, len(floats))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, end := number.Float32s(text, 16, into); end == 16 {
				b.Skip("Float32s reads nothing on this processor")
			}
		}
	})
}

func BenchmarkPut(b *testing.B) {
	floats, integers := samples()
	b.Run("Float32", func(b *testing.B) { benchmarkPut(b, floats, number.PutFloat32) })
	b.Run("Float64", func(b *testing.B) {
		wide := make([]float64, len(floats))
		for i, v := range floats {
			wide[i] = float64(v)
		}
		benchmarkPut(b, wide, number.PutFloat64)
	})
	b.Run("Integer", func(b *testing.B) { benchmarkPut(b, integers, number.PutInteger[int64]) })
}

func samples() (floats []float32, integers []int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range benchmarked {
		floats = append(floats, float32(r.NormFloat64()))
		integers = append(integers, r.Int64N(2e9)-1e9)
	}
	return floats, integers
}

// listOf writes numbers with commas behind them, after 16 bytes.
func listOf[T any](data []T, write func(*[number.Size]byte, T) int) []byte {
	text := []byte(strings.Repeat(" ", 16))
	for _, v := range data {
		text = append(append(text, put(write, v)...), ',')
	}
	return text
}

func benchmarkRead[T any](b *testing.B, data []T, write func(*[number.Size]byte, T) int, read func([]byte, int) (T, int, error)) {
	text := listOf(data, write)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for at := 16; at < len(text); at++ {
			var err error
			if _, at, err = read(text, at); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchmarkPut[T any](b *testing.B, data []T, write func(*[number.Size]byte, T) int) {
	var buffer [number.Size]byte
	length := 0
	for b.Loop() {
		length = 0
		for _, v := range data {
			length += write(&buffer, v)
		}
	}
	b.SetBytes(int64(length))
}
