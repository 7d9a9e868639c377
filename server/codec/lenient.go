package codec

import (
	"math"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// newLenientBuilder returns a builder like newBuilder's, which also reads what JSON has no number for:
// the strings that are written for floats that are not finite, and BF16 as decimal numbers.
func newLenientBuilder(d tensor.DType, s *scanner, rows bool) (builder, error) {
	switch d {
	case tensor.FP16:
		return newFlat(s, orNotFinite(number.Float16, tensor.ToFloat16), rows), nil
	case tensor.BF16:
		return newFlat(s, orNotFinite(bfloat16, tensor.ToBFloat16), rows), nil
	case tensor.FP32:
		f := newFlat(s, orNotFinite(number.Float32, func(v float32) float32 { return v }), rows)
		f.parseMany = number.Float32s
		return f, nil
	case tensor.FP64:
		return newFlat(s, orNotFinite(number.Float64, func(v float32) float64 { return float64(v) }), rows), nil
	}
	return newBuilder(d, s, rows)
}

// orNotFinite returns a parser for what parse reads, and for "NaN", "Infinity" and "-Infinity".
func orNotFinite[T tensor.Element](parse parser[T], convert func(float32) T) parser[T] {
	return func(body []byte, from int) (T, int, error) {
		if from < len(body) && body[from] == '"' {
			s := scanner{buf: body, pos: from}
			text, _ := s.text() // parse says what is wrong with it
			switch string(text) {
			case "NaN":
				return convert(float32(math.NaN())), s.pos, nil
			case "Infinity":
				return convert(float32(math.Inf(1))), s.pos, nil
			case "-Infinity":
				return convert(float32(math.Inf(-1))), s.pos, nil
			}
		}
		return parse(body, from)
	}
}

func bfloat16(body []byte, from int) (tensor.BFloat16, int, error) {
	v, end, err := number.Float32(body, from)
	return tensor.ToBFloat16(v), end, err
}
