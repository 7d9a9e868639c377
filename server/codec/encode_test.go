package codec_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// encode is what Append writes, which must be JSON.
func encode(t *testing.T, r *codec.Response) string {
	t.Helper()
	const before = "kept"
	got, err := codec.Append([]byte(before), r)
	require.NoError(t, err)
	require.Equal(t, before, string(got[:len(before)]))
	got = got[len(before):]
	require.True(t, json.Valid(got), "%s", got)
	return string(got)
}

// classifier has the outputs of a classifier of skl2onnx: a label and a map for each row.
func classifier(t *testing.T) []tensor.Named {
	score := func(a, b float32) tensor.Map {
		return tensor.Map{
			Keys:   want[int64](t, "", dims(2), 0, 1).Value.(*tensor.Tensor),
			Values: want(t, "", dims(2), a, b).Value.(*tensor.Tensor),
		}
	}
	return []tensor.Named{
		want(t, "label", dims(2), "yes", "no"),
		{Name: "scores", Value: tensor.Sequence{score(0.1, 0.9), score(0.75, 0.25)}},
	}
}

func TestAppend(t *testing.T) {
	iris := []tensor.Named{want[int64](t, "label", dims(2), 1, 0), want[float32](t, "probabilities", dims(2, 3), 0.1, 0.8, 0.1, 1, 0, 1e-7)}
	tests := []struct {
		name string
		r    codec.Response
		want string
	}{
		{"rows of one output", codec.Response{Form: codec.Rows, Rows: 2, Outputs: iris[1:]},
			`{"predictions":[[0.1,0.8,0.1],[1,0,1e-7]]}`},
		{"rows of numbers", codec.Response{Form: codec.Rows, Rows: 2, Outputs: iris[:1]},
			`{"predictions":[1,0]}`},
		{"rows of several outputs", codec.Response{Form: codec.Rows, Rows: 2, Outputs: iris},
			`{"predictions":[{"label":1,"probabilities":[0.1,0.8,0.1]},{"label":0,"probabilities":[1,0,1e-7]}]}`},
		{"rows of maps", codec.Response{Form: codec.Rows, Rows: 2, Outputs: classifier(t)},
			`{"predictions":[{"label":"yes","scores":{"0":0.1,"1":0.9}},{"label":"no","scores":{"0":0.75,"1":0.25}}]}`},
		{"columns", codec.Response{Form: codec.Columns, Outputs: iris},
			`{"outputs":{"label":[1,0],"probabilities":[[0.1,0.8,0.1],[1,0,1e-7]]}}`},
		{"columns of maps", codec.Response{Form: codec.Columns, Outputs: classifier(t)},
			`{"outputs":{"label":["yes","no"],"scores":[{"0":0.1,"1":0.9},{"0":0.75,"1":0.25}]}}`},
		{"oip", codec.Response{Form: codec.OIP, Model: "iris", Version: "1", ID: `a"b`, Outputs: iris},
			`{"model_name":"iris","model_version":"1","id":"a\"b","outputs":[{"name":"label","datatype":"INT64","shape":[2],"data":[1,0]},` +
				`{"name":"probabilities","datatype":"FP32","shape":[2,3],"data":[0.1,0.8,0.1,1,0,1e-7]}]}`},
		{"oip of maps", codec.Response{Form: codec.OIP, Model: "c", Version: "2", Outputs: classifier(t)[1:]},
			`{"model_name":"c","model_version":"2","outputs":[{"name":"scores","datatype":"BYTES","shape":[2],"parameters":{"content_type":"json"},` +
				`"data":["{\"0\":0.1,\"1\":0.9}","{\"0\":0.75,\"1\":0.25}"]}]}`},
		{"nothing", codec.Response{Form: codec.Columns}, `{"outputs":{}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, encode(t, &tt.r)) })
	}
}

func TestAppendRowsNeedsRows(t *testing.T) {
	for what, out := range map[string]tensor.Named{
		"of shape [3,2]":  want[float32](t, "y", dims(3, 2), 1, 2, 3, 4, 5, 6),
		"a scalar":        want[float32](t, "y", dims(), 1),
		"a sequence of 1": {Name: "y", Value: tensor.Sequence{want[float32](t, "", dims(), 1).Value}},
		"a map":           {Name: "y", Value: classifier(t)[1].Value.(tensor.Sequence)[0]},
	} {
		_, err := codec.Append(nil, &codec.Response{Form: codec.Rows, Rows: 2, Outputs: []tensor.Named{out}})
		require.ErrorContains(t, err, `output "y" is `+what)
		require.ErrorContains(t, err, "columns form")
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
}

func TestAppendValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	text := want(t, "", dims(2), "k", `"`).Value.(*tensor.Tensor)
	tests := []struct {
		value tensor.Value
		want  string
	}{
		{want(t, "", dims(2), true, false).Value, `[true,false]`},
		{want[int8](t, "", dims(2), -128, 127).Value, `[-128,127]`},
		{want[int16](t, "", dims(1), -32768).Value, `[-32768]`},
		{want[int32](t, "", dims(2), math.MinInt32, 100000000).Value, `[-2147483648,100000000]`},
		{want[int64](t, "", dims(4), math.MinInt64, math.MaxInt64, 0, 9999999999999999).Value, `[-9223372036854775808,9223372036854775807,0,9999999999999999]`},
		{want[uint8](t, "", dims(3), 0, 7, 255).Value, `[0,7,255]`},
		{want[uint16](t, "", dims(1), 65535).Value, `[65535]`},
		{want[uint32](t, "", dims(1), math.MaxUint32).Value, `[4294967295]`},
		{want[uint64](t, "", dims(3), math.MaxUint64, 1e16, 99999999).Value, `[18446744073709551615,10000000000000000,99999999]`},
		{want[tensor.Float16](t, "", dims(7), 0x3c00, 0x2e66, 0x7bff, 1, 0x7c00, 0xfc00, 0x7e00).Value, `[1,0.1,65500,6e-8,"Infinity","-Infinity","NaN"]`},
		{want[tensor.BFloat16](t, "", dims(2), 0x3f80, 0x3dcd).Value, `[1,0.100097656]`},
		{want(t, "", dims(3), float32(nan), float32(inf), float32(-inf)).Value, `["NaN","Infinity","-Infinity"]`},
		{want(t, "", dims(3), nan, inf, -inf).Value, `["NaN","Infinity","-Infinity"]`},
		{want(t, "", dims(5), 0, 1e21, 1e-7, -1.5e-10, 0.1).Value, `[0,1e+21,1e-7,-1.5e-10,0.1]`},
		{want(t, "", dims(5), "a<b>&", "\"\\\b\f\n\r\t\x01", "é😀", "\xff\u2028", "\x7f").Value, `["a<b>&","\"\\\b\f\n\r\t\u0001","é😀",{"b64":"/+KAqA=="},"` + "\x7f" + `"]`},
		{want[float32](t, "", dims(2, 0)).Value, `[[],[]]`},
		{want[float32](t, "", dims(0, 3)).Value, `[]`},
		{want[int32](t, "", dims(2, 1, 2), 1, 2, 3, 4).Value, `[[[1,2]],[[3,4]]]`},
		{tensor.Map{Keys: text, Values: want(t, "", dims(2), 1.5, 2).Value.(*tensor.Tensor)}, `{"k":1.5,"\"":2}`},
		{tensor.Sequence{}, `[]`},
		{tensor.Sequence{want[int64](t, "", dims(), 3).Value, want(t, "", dims(1), "a").Value}, `[3,["a"]]`},
	}
	for _, tt := range tests {
		r := &codec.Response{Form: codec.Columns, Outputs: []tensor.Named{{Name: "y", Value: tt.value}}}
		assert.Equal(t, `{"outputs":{"y":`+tt.want+`}}`, encode(t, r))
	}
}

func TestAppendBF16IsFP32(t *testing.T) {
	r := &codec.Response{Form: codec.OIP, Model: "m", Version: "1", Outputs: []tensor.Named{want[tensor.BFloat16](t, "y", dims(1), 0x3dcd)}}
	assert.Contains(t, encode(t, r), `"datatype":"FP32","shape":[1],"data":[0.100097656]`)
}

// TestAppendStrings has encoding/json read every string back.
func TestAppendStrings(t *testing.T) {
	for c := range rune(0x2100) {
		s := "a" + string(c) + "b"
		var plain, back struct{ Outputs struct{ Y string } }
		plain.Outputs.Y = s
		require.NoError(t, json.Unmarshal([]byte(encode(t, &codec.Response{
			Form: codec.Columns, Outputs: []tensor.Named{want(t, "y", dims(), s)},
		})), &back))
		require.Equal(t, plain, back)
	}
}
