package grpcapi_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

type (
	contents = oip.InferTensorContents
	input    = oip.ModelInferRequest_InferInputTensor
	request  = oip.ModelInferRequest
)

// dtypes is two elements of every data type, as they travel.
var dtypes = map[string]struct {
	raw   string
	typed *contents // nil: none
}{
	"BOOL":   {"\x01\x00", &contents{BoolContents: []bool{true, false}}},
	"INT8":   {"\x7f\x80", &contents{IntContents: []int32{127, -128}}},
	"INT16":  {"\xff\x7f\x00\x80", &contents{IntContents: []int32{math.MaxInt16, math.MinInt16}}},
	"INT32":  {"\xff\xff\xff\x7f\x00\x00\x00\x80", &contents{IntContents: []int32{math.MaxInt32, math.MinInt32}}},
	"INT64":  {"\xff\xff\xff\xff\xff\xff\xff\x7f\xfe\xff\xff\xff\xff\xff\xff\xff", &contents{Int64Contents: []int64{math.MaxInt64, -2}}},
	"UINT8":  {"\x00\xff", &contents{UintContents: []uint32{0, 255}}},
	"UINT16": {"\x00\x00\xff\xff", &contents{UintContents: []uint32{0, math.MaxUint16}}},
	"UINT32": {"\x01\x00\x00\x00\xff\xff\xff\xff", &contents{UintContents: []uint32{1, math.MaxUint32}}},
	"UINT64": {"\x01\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", &contents{Uint64Contents: []uint64{1, math.MaxUint64}}},
	"FP16":   {"\x00\x3e\x00\xc0", nil},
	"BF16":   {"\xc0\x3f\x00\xc0", nil},
	"FP32":   {"\x00\x00\xc0\x3f\x00\x00\x80\xff", &contents{Fp32Contents: []float32{1.5, float32(math.Inf(-1))}}},
	"FP64":   {"\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x00\x00\x00\x00\x00\x00\xc0", &contents{Fp64Contents: []float64{1.5, -2}}},
	"BYTES":  {"\x05\x00\x00\x00gr\xc3\xbcn\x00\x00\x00\x00", &contents{BytesContents: [][]byte{[]byte("grün"), {}}}},
}

// A response is raw if its request was, and typed if that was.
func TestEveryDatatype(t *testing.T) {
	files := map[string]string{}
	for dtype := range dtypes {
		name := strings.ToLower(dtype)
		files[name+"/1/model.onnx"] = "identity_" + name
	}
	f := start(t, onnxtest.Repository(t, files), nil)
	for dtype, test := range dtypes {
		t.Run(dtype, func(t *testing.T) {
			infer := func(raw [][]byte, typed *contents, shape ...int64) *oip.ModelInferResponse {
				response, err := f.ModelInfer(t.Context(), &request{
					ModelName: strings.ToLower(dtype), Id: "7", RawInputContents: raw,
					Inputs: []*input{{Name: "x", Datatype: dtype, Shape: shape, Contents: typed}},
				})
				require.NoError(t, err)
				assert.Equal(t, strings.ToLower(dtype)+" 1 7", response.GetModelName()+" "+response.GetModelVersion()+" "+response.GetId())
				require.Len(t, response.GetOutputs(), 1)
				out := response.GetOutputs()[0]
				assert.Equal(t, "y "+dtype, out.GetName()+" "+out.GetDatatype())
				assert.Equal(t, shape, out.GetShape())
				return response
			}
			raw := infer([][]byte{[]byte(test.raw)}, nil, 1, 2)
			assert.Equal(t, [][]byte{[]byte(test.raw)}, raw.GetRawOutputContents())
			assert.Nil(t, raw.GetOutputs()[0].GetContents())
			assert.Equal(t, [][]byte{{}}, infer([][]byte{{}}, nil, 0, 2).GetRawOutputContents())
			if test.typed == nil {
				return
			}
			typed := infer(nil, test.typed, 2, 1)
			assert.Empty(t, typed.GetRawOutputContents())
			assert.True(t, proto.Equal(test.typed, typed.GetOutputs()[0].GetContents()), typed.GetOutputs()[0].GetContents())
			assert.True(t, proto.Equal(&contents{}, infer(nil, nil, 3, 0).GetOutputs()[0].GetContents()))
		})
	}
}

// Half-precision numbers have no typed contents: with one among the outputs all of them are raw.
func TestTypedRequestWithARawResponse(t *testing.T) {
	repository := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(repository, "halve.onnx"), castToHalf(), 0o644))
	f := start(t, repository, nil)
	response, err := f.ModelInfer(t.Context(), &request{ModelName: "halve", Inputs: []*input{
		{Name: "x", Datatype: "FP32", Shape: []int64{2}, Contents: &contents{Fp32Contents: []float32{1.5, -2}}},
	}})
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte(dtypes["FP16"].raw)}, response.GetRawOutputContents())
	assert.Nil(t, response.GetOutputs()[0].GetContents())
	assert.Equal(t, "FP16", response.GetOutputs()[0].GetDatatype())
}

// castToHalf is an ONNX model that takes x, two FP32, and returns y, the same as FP16.
func castToHalf() []byte {
	const float, float16, integer, opset = 1, 10, 2, 17
	number := func(field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
	}
	part := func(field protowire.Number, parts ...string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), strings.Join(parts, ""))
	}
	value := func(field protowire.Number, name string, elements uint64) []byte {
		shape := part(2, string(part(1, string(number(1, 2)))))
		return part(field, string(part(1, name)), string(part(2, string(part(1, string(number(1, elements)), string(shape))))))
	}
	to := part(5, string(part(1, "to")), string(number(3, float16)), string(number(20, integer)))
	node := part(1, string(part(1, "x")), string(part(2, "y")), string(part(4, "Cast")), string(to))
	graph := part(7, string(node), string(part(2, "halve")), string(value(11, "x", float)), string(value(12, "y", float16)))
	return slices.Concat(number(1, 8), graph, part(8, string(number(2, opset))))
}

func TestScalars(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{
		"fp32/1/model.onnx": "scalar_fp32", "fp16/1/model.onnx": "scalar_fp16", "bytes/1/model.onnx": "scalar_bytes",
	}), nil)
	response, err := f.ModelInfer(t.Context(), &request{ModelName: "fp32", Inputs: []*input{
		{Name: "x", Datatype: "FP32", Contents: &contents{Fp32Contents: []float32{2.5}}},
	}})
	require.NoError(t, err)
	assert.Empty(t, response.GetOutputs()[0].GetShape())
	assert.Equal(t, []float32{2.5}, response.GetOutputs()[0].GetContents().GetFp32Contents())

	for model, raw := range map[string]string{"fp16": "\x00\x3e", "bytes": "\x01\x00\x00\x00a"} {
		response, err = f.ModelInfer(t.Context(), &request{
			ModelName: model, Inputs: []*input{{Name: "x", Datatype: strings.ToUpper(model)}}, RawInputContents: [][]byte{[]byte(raw)},
		})
		require.NoError(t, err)
		assert.Equal(t, [][]byte{[]byte(raw)}, response.GetRawOutputContents())
	}
}

// int32s is sixteen times n, raw.
func int32s(n int32) []byte {
	var raw []byte
	for range 16 {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(n))
	}
	return raw
}

func simple() *request {
	return &request{
		ModelName: "simple", RawInputContents: [][]byte{int32s(1), int32s(4)},
		Inputs: []*input{{Name: "INPUT1", Datatype: "INT32", Shape: []int64{1, 16}}, {Name: "INPUT0", Datatype: "INT32", Shape: []int64{1, 16}}},
	}
}

func TestSeveralInputsAndOutputs(t *testing.T) {
	f := startAll(t)
	response, err := f.ModelInfer(t.Context(), simple())
	require.NoError(t, err)
	require.Len(t, response.GetOutputs(), 2)
	assert.Equal(t, [][]byte{int32s(5), int32s(3)}, response.GetRawOutputContents())

	r := simple()
	r.Outputs = []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: "OUTPUT1"}}
	response, err = f.ModelInfer(t.Context(), r, grpc.UseCompressor(gzip.Name))
	require.NoError(t, err)
	require.Len(t, response.GetOutputs(), 1)
	assert.Equal(t, "OUTPUT1", response.GetOutputs()[0].GetName())
	assert.Equal(t, [][]byte{int32s(3)}, response.GetRawOutputContents())
}

func TestSequencesAreDocuments(t *testing.T) {
	f := startAll(t)
	x := &input{Name: "x", Datatype: "FP32", Shape: []int64{3, 2}, Contents: &contents{Fp32Contents: []float32{1, 2, 3, 4, 5, 6}}}
	response, err := f.ModelInfer(t.Context(), &request{ModelName: "sequence", Inputs: []*input{x}})
	require.NoError(t, err)
	out := response.GetOutputs()[0]
	assert.Equal(t, "BYTES", out.GetDatatype())
	assert.Equal(t, []int64{2}, out.GetShape())
	assert.Equal(t, "json", out.GetParameters()["content_type"].GetStringParam())
	assert.Equal(t, [][]byte{[]byte("[[1,2],[3,4]]"), []byte("[[5,6]]")}, out.GetContents().GetBytesContents())
}
