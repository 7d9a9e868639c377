package tensor

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"unsafe"
)

// elements has the operations on data whose Go element type the caller does not know.
type elements interface {
	make(n int) any
	concat(parts []*Tensor, n int) any
	slice(data any, from, to int64) any
	copy(to any, at int64, from any, start, n int64)
	memory(data any) []byte
	over(memory []byte, n int) any
	float(data any, i int) (float64, bool)
	text(data any, i int) string
	fill(data any, g Generator)
	shuffled(data any, r *rand.Rand) any
}

// slice implements elements for a []T.
type slice[T Element] struct {
	toFloat func(T) float64 // nil: not a number
	toText  func(T) string
	random  func(g Generator) T
}

var (
	booleans = &slice[bool]{nil, strconv.FormatBool, func(g Generator) bool { return g.Random.IntN(2) == 1 }}
	texts    = &slice[string]{nil, func(s string) string { return s }, func(g Generator) string {
		return "text " + strconv.FormatInt(g.Random.Int64N(g.Integers), 10)
	}}
	float32s  = floats(func(x float32) float64 { return float64(x) }, func(x float64) float32 { return float32(x) }, 32)
	float64s  = floats(func(x float64) float64 { return x }, func(x float64) float64 { return x }, 64)
	float16s  = floats(func(x Float16) float64 { return float64(x.Float32()) }, func(x float64) Float16 { return ToFloat16(float32(x)) }, 32)
	bfloat16s = floats(func(x BFloat16) float64 { return float64(x.Float32()) }, func(x float64) BFloat16 { return ToBFloat16(float32(x)) }, 32)
)

func signed[T int8 | int16 | int32 | int64]() *slice[T] {
	return &slice[T]{
		func(v T) float64 { return float64(v) },
		func(v T) string { return strconv.FormatInt(int64(v), 10) },
		func(g Generator) T { return T(g.Random.Int64N(g.Integers)) },
	}
}

func unsigned[T uint8 | uint16 | uint32 | uint64]() *slice[T] {
	return &slice[T]{
		func(v T) float64 { return float64(v) },
		func(v T) string { return strconv.FormatUint(uint64(v), 10) },
		func(g Generator) T { return T(g.Random.Int64N(g.Integers)) },
	}
}

// floats draws in steps of 1e-7 from 0 up to 1: seven digits, as in typical requests.
func floats[T Float16 | BFloat16 | float32 | float64](widen func(T) float64, narrow func(float64) T, bits int) *slice[T] {
	return &slice[T]{
		widen,
		func(v T) string { return strconv.FormatFloat(widen(v), 'g', -1, bits) },
		func(g Generator) T {
			x := float64(g.Random.IntN(1e7)) / 1e7
			if g.Amplitude > 0 {
				x = g.Amplitude * (2*x - 1)
			}
			return narrow(x)
		},
	}
}

func (*slice[T]) make(n int) any { return make([]T, n) }

func (*slice[T]) concat(parts []*Tensor, n int) any {
	all := make([]T, 0, n)
	for _, p := range parts {
		all = append(all, p.Data.([]T)...)
	}
	return all
}

func (*slice[T]) slice(data any, from, to int64) any { return data.([]T)[from:to:to] }

func (*slice[T]) copy(to any, at int64, from any, start, n int64) {
	copy(to.([]T)[at:at+n], from.([]T)[start:start+n])
}

func (*slice[T]) memory(data any) []byte { return bytesOf(data.([]T)) }

func (*slice[T]) over(memory []byte, n int) any {
	if n == 0 {
		return []T{}
	}
	var element T
	at := unsafe.Pointer(unsafe.SliceData(memory))
	if uintptr(at)%unsafe.Alignof(element) == 0 {
		return unsafe.Slice((*T)(at), n)
	}
	aligned := make([]T, n)
	copy(bytesOf(aligned), memory)
	return aligned
}

func (s *slice[T]) float(data any, i int) (float64, bool) {
	if s.toFloat == nil {
		return 0, false
	}
	return s.toFloat(data.([]T)[i]), true
}

func (s *slice[T]) text(data any, i int) string { return s.toText(data.([]T)[i]) }

func (s *slice[T]) fill(data any, g Generator) {
	all := data.([]T)
	for i := range all {
		all[i] = s.random(g)
	}
}

func (*slice[T]) shuffled(data any, r *rand.Rand) any {
	all := slices.Clone(data.([]T))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func bytesOf[T any](data []T) []byte {
	var element T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), len(data)*int(unsafe.Sizeof(element)))
}
