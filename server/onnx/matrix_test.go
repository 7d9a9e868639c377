package onnx_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// ONNX's numbers of the messages' fields, as far as a matrix needs them.
const (
	modelIRVersion, modelGraph, modelOpset        = 1, 7, 8
	graphNode, graphName, graphConstant           = 1, 2, 5
	graphInput, graphOutput                       = 11, 12
	nodeInput, nodeOutput, nodeOp                 = 1, 2, 4
	tensorDims, tensorType, tensorName, tensorRaw = 1, 2, 8, 9
	valueName, valueType, typeTensor, typeElem    = 1, 2, 1, 1
	typeShape, shapeDim, dimValue, opsetVersion   = 2, 1, 1, 2
	elemFloat, irVersion, opset                   = 1, 10, 21
)

func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func integer(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(n))
}

func message(b []byte, field protowire.Number, inner []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), inner)
}

// row is an input or output of shape [1,n].
func row(name string, n int) []byte {
	shape := message(message(nil, shapeDim, integer(nil, dimValue, 1)), shapeDim, integer(nil, dimValue, n))
	return message(text(nil, valueName, name), valueType, message(nil, typeTensor, message(integer(nil, typeElem, elemFloat), typeShape, shape)))
}

// matrix writes a model that multiplies a row of n with a matrix of ones, which
// takes 4n² bytes.
func matrix(t testing.TB, n int) (path string) {
	t.Helper()
	ones := make([]byte, 0, 4*n*n)
	for range n * n {
		bits := math.Float32bits(1)
		ones = append(ones, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	weights := integer(integer(integer(nil, tensorDims, n), tensorDims, n), tensorType, elemFloat)
	weights = message(text(weights, tensorName, "w"), tensorRaw, ones)
	node := text(text(text(text(nil, nodeInput, "x"), nodeInput, "w"), nodeOutput, "y"), nodeOp, "MatMul")
	graph := message(text(message(nil, graphNode, node), graphName, "matrix"), graphConstant, weights)
	graph = message(message(graph, graphInput, row("x", n)), graphOutput, row("y", n))
	model := message(integer(nil, modelIRVersion, irVersion), modelGraph, graph)
	model = message(model, modelOpset, integer(nil, opsetVersion, opset))

	path = filepath.Join(t.TempDir(), "matrix.onnx")
	require.NoError(t, os.WriteFile(path, model, 0o600))
	return path
}
