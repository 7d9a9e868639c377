//go:build bench

package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

func number(n int) string { return strconv.Itoa(n) }

// message builds a protobuf message field by field.
type message []byte

func (m message) text(field protowire.Number, s string) message {
	return message(protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s))
}

func (m message) int(field protowire.Number, n int64) message {
	return message(protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(n)))
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return message(protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b))
}

// denseNetwork is the ONNX file of layers from x [N, first width] to y [N, last
// width]: a model whose run for one row waits for its weights, so that a batch
// costs little more. Field numbers are those of onnx.proto.
func denseNetwork(widths []int64) []byte {
	r := rand.New(rand.NewPCG(7, 7))
	graph := message{}.text(2, "dense")
	in := "x"
	for i := range len(widths) - 1 {
		rows, columns := widths[i], widths[i+1]
		weights, bias, out := fmt.Sprintf("w%d", i), fmt.Sprintf("b%d", i), fmt.Sprintf("h%d", i)
		last := i == len(widths)-2
		if last {
			out = "y"
		}
		graph = graph.
			bytes(1, node("Gemm", out, in, weights, bias)).
			bytes(5, constant(weights, r, rows, columns)).
			bytes(5, constant(bias, r, columns))
		in = out
		if !last {
			graph = graph.bytes(1, node("Relu", out+"+", out))
			in = out + "+"
		}
	}
	graph = graph.bytes(11, value("x", widths[0])).bytes(12, value("y", widths[len(widths)-1]))
	opset := message{}.text(1, "").int(2, 17)
	return message{}.int(1, 8).bytes(7, graph).bytes(8, opset)
}

func node(op, output string, inputs ...string) message {
	m := message{}
	for _, in := range inputs {
		m = m.text(1, in)
	}
	return m.text(2, output).text(4, op)
}

// constant is a tensor of floats small enough for sums of a row to stay near 1.
func constant(name string, r *rand.Rand, dims ...int64) message {
	m, count := message{}, int64(1)
	for _, d := range dims {
		m, count = m.int(1, d), count*d
	}
	scale := 1 / math.Sqrt(float64(dims[0]))
	raw := make([]byte, 0, 4*count)
	for range count {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(r.NormFloat64()*scale)))
	}
	return m.int(2, 1).text(8, name).bytes(9, raw)
}

// value says that a name is FP32 [N, width].
func value(name string, width int64) message {
	shape := message{}.
		bytes(1, message{}.text(2, "N")).
		bytes(1, message{}.int(1, width))
	return message{}.text(1, name).bytes(2, message{}.bytes(1, message{}.int(1, 1).bytes(2, shape)))
}
