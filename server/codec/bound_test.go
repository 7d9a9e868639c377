package codec_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// widest has the values of each type that have the longest JSON.
func widest(d tensor.DType, n int) any {
	fill := func() any {
		switch d {
		case tensor.Bool:
			return repeat(false, n)
		case tensor.Int8:
			return repeat(int8(math.MinInt8), n)
		case tensor.Int16:
			return repeat(int16(math.MinInt16), n)
		case tensor.Int32:
			return repeat(int32(math.MinInt32), n)
		case tensor.Int64:
			return repeat(int64(math.MinInt64), n)
		case tensor.Uint8:
			return repeat(uint8(math.MaxUint8), n)
		case tensor.Uint16:
			return repeat(uint16(math.MaxUint16), n)
		case tensor.Uint32:
			return repeat(uint32(math.MaxUint32), n)
		case tensor.Uint64:
			return repeat(uint64(math.MaxUint64), n)
		case tensor.FP16:
			return repeat(tensor.ToFloat16(-5.9604645e-8), n)
		case tensor.BF16:
			return repeat(tensor.ToBFloat16(-1.1754944e-38), n)
		case tensor.FP32:
			return repeat(float32(-1.17549435e-38), n)
		case tensor.FP64:
			return repeat(-2.2250738585072014e-308, n)
		}
		return repeat("\x01\xff\"\u2028", n)
	}
	return fill()
}

func repeat[T any](v T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func TestBound(t *testing.T) {
	for d := tensor.Bool; d <= tensor.Bytes; d++ {
		for _, shape := range [][]int64{{}, {0}, {1000}, {1000, 1, 1}, {10, 10, 10}, {1, 1, 1, 1000}, {5, 0, 9}} {
			n, err := tensor.Count(shape)
			require.NoError(t, err)
			value := &tensor.Tensor{DType: d, Shape: shape, Data: widest(d, int(n))}
			text := &tensor.Tensor{DType: tensor.Bytes, Shape: []int64{1}, Data: []string{strings.Repeat("\x00", 9)}}
			one := &tensor.Tensor{DType: tensor.FP64, Shape: []int64{1}, Data: []float64{-2.2250738585072014e-308}}
			for _, out := range []tensor.Value{value, tensor.Sequence{value, value}, tensor.Sequence{tensor.Map{Keys: text, Values: one}}, tensor.Map{Keys: text, Values: one}} {
				for _, r := range []*codec.Response{
					{Form: codec.OIP}, {Form: codec.Columns}, {Form: codec.OIP, BinaryOutputs: true}, {Form: codec.OIP, Binary: map[string]bool{"\x01name": true}},
					{Form: codec.Rows, Rows: rowsIn(out)},
				} {
					r.Model, r.ID = "m\x02", strings.Repeat("\x03", 100)
					r.Outputs = []tensor.Named{{Name: "\x01name", Value: out}}
					if r.Form == codec.Rows {
						r.Outputs = append(r.Outputs, r.Outputs[0])
					}
					body, _, err := codec.AppendBinary(nil, r)
					if err != nil {
						continue // has no rows
					}
					bound := codec.Bound(r)
					assert.LessOrEqual(t, int64(len(body)), bound, "%s of %v as %T in form %d", d, shape, out, r.Form)
					assert.LessOrEqual(t, bound, 14*int64(len(body))+2000, "far above %s of %v as %T in form %d", d, shape, out, r.Form)
				}
			}
		}
	}
}

func rowsIn(v tensor.Value) int {
	switch v := v.(type) {
	case *tensor.Tensor:
		if len(v.Shape) > 0 {
			return int(v.Shape[0])
		}
	case tensor.Sequence:
		return len(v)
	}
	return 0
}

func TestBoundOfRandomFloats(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		data := make([]float32, 100)
		wide := make([]float64, 100)
		for i := range data {
			data[i] = math.Float32frombits(random.Uint32())
			wide[i] = math.Float64frombits(random.Uint64())
		}
		for _, value := range []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{100}, Data: data}, {DType: tensor.FP64, Shape: []int64{100}, Data: wide}} {
			r := &codec.Response{Form: codec.Columns, Outputs: []tensor.Named{{Name: "y", Value: value}}}
			body, err := codec.Append(nil, r)
			require.NoError(t, err)
			assert.LessOrEqual(t, int64(len(body)), codec.Bound(r))
		}
	}
}
