package codec_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

func mapOf(t *testing.T, values tensor.Named, keys ...string) tensor.Map {
	t.Helper()
	return tensor.Map{Keys: want(t, "", dims(int64(len(keys))), keys...).Value.(*tensor.Tensor), Values: values.Value.(*tensor.Tensor)}
}

func TestDecodeResponse(t *testing.T) {
	body := `{"model_name":"m","model_version":"1","id":"7","parameters":{"any":{"nested":[null]}},"outputs":[` +
		`{"name":"label","datatype":"INT64","shape":[2],"data":[7,8]},` +
		`{"data":[[0.5,"NaN"],["-Infinity",1e-7]],"parameters":{"content_type":"np","headers":{"a":1}},"name":"scores","datatype":"FP32","shape":[2,2]},` +
		`{"name":"maps","datatype":"BYTES","shape":[2],"parameters":{"content_type":"json"},"data":["{\"0\":0.25,\"1\":1}","[[true]]"]}]}`
	label, scores := want[int64](t, "label", dims(2), 7, 8), want(t, "scores", dims(2, 2), 0.5, float32(math.NaN()), float32(math.Inf(-1)), 1e-7)
	maps := tensor.Named{Name: "maps", Value: tensor.Sequence{mapOf(t, want(t, "", dims(2), 0.25, 1.0), "0", "1"), want(t, "", dims(1, 1), true).Value}}
	specs := []tensor.Spec{{Name: "maps", Kind: tensor.KindSequence}, spec("scores", tensor.BF16), spec("label", tensor.Int64)}
	for name, decode := range map[string]func() (*codec.Response, error){
		"any outputs":         func() (*codec.Response, error) { return codec.DecodeResponse([]byte(body), nil) },
		"the model's outputs": func() (*codec.Response, error) { return codec.DecodeResponse([]byte(body), specs) },
		"of any server": func() (*codec.Response, error) {
			more := strings.Replace(body, `"outputs":[{`, `"took":{"ms":[1,2]},"outputs":[{"device":"cpu",`, 1)
			return codec.DecodeServerResponse([]byte(more), -1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode()
			require.NoError(t, err)
			assert.Equal(t, codec.Response{Form: codec.OIP, Model: "m", Version: "1", ID: "7"}, codec.Response{Form: got.Form, Model: got.Model, Version: got.Version, ID: got.ID})
			require.Len(t, got.Outputs, 3)
			assert.Equal(t, label, got.Outputs[0])
			assert.Equal(t, maps, got.Outputs[2])
			numbers := got.Outputs[1].Value.(*tensor.Tensor).Data.([]float32)
			require.True(t, math.IsNaN(float64(numbers[1])))
			numbers[1] = 0
			scores.Value.(*tensor.Tensor).Data.([]float32)[1] = 0
			assert.Equal(t, scores, got.Outputs[1])
		})
	}
}

func TestDecodeResponseRefuses(t *testing.T) {
	output := func(datatype, shape, data string) string {
		return `{"outputs":[{"name":"y","datatype":"` + datatype + `","shape":` + shape + `,"data":` + data + `}]}`
	}
	y := []tensor.Spec{spec("y", tensor.FP32)}
	for want, body := range map[string]string{
		`missing key "outputs"`:                                              `{"outputs":null}`,
		`outputs: got an object`:                                             `{"outputs":{}}`,
		`outputs[0]: got the number 1, expected`:                             `{"outputs":[1]}`,
		`unknown key "output"`:                                               `{"output":[]}`,
		`outputs[0]: unknown key "dtype"`:                                    `{"outputs":[{"dtype":"FP32"}]}`,
		`duplicate key "outputs"`:                                            `{"outputs":[],"outputs":[]}`,
		`parameters: got "{\"a\":,}", which is`:                              `{"parameters":{"a":,},"outputs":[]}`,
		`unknown output "z", expected "y"`:                                   `{"outputs":[{"name":"z"}]}`,
		`outputs[1].name: duplicate output "y"`:                              strings.Replace(output("FP32", "[1]", "[1]"), `[{`, `[{"name":"y","datatype":"FP32","shape":[1],"data":[1]},{`, 1),
		`outputs[0].data: got datatype INT8, the model returns FP32 for "y"`: output("INT8", "[1]", "[1]"),
		`outputs[0].data[0]: got a string, expected a number (FP32)`:         output("FP32", "[1]", `["nan"]`),
		`outputs[0].data: got 1 elements, shape [2] has 2`:                   output("FP32", "[2]", `[1]`),
		`outputs[0].parameters.binary_data_size: data after the JSON needs`:  strings.Replace(output("FP32", "[1]", "[1]"), `"data":[1]`, `"parameters":{"binary_data_size":4}`, 1),
	} {
		_, err := codec.DecodeResponse([]byte(body), y)
		require.ErrorContains(t, err, want, body)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
	for want, document := range map[string]string{
		`outputs[0].data[0]: read a JSON document: b: got a string, expected a number`: `{"a":1,"b":"2"}`,
		`duplicate key "a"`:                   `{"a":1,"a":2}`,
		`the values of the object are arrays`: `{"a":[1]}`,
		`something follows the value`:         `{} {}`,
		`got the end of the body`:             ``,
		`[1]: got a string`:                   `[1,"x"]`,
		`got an object`:                       `[{}]`,
	} {
		text, err := json.Marshal(document)
		require.NoError(t, err)
		_, err = codec.DecodeResponse([]byte(output("BYTES", "[1]", "["+string(text)+"]")), []tensor.Spec{{Name: "y", Kind: tensor.KindSequence}})
		require.ErrorContains(t, err, want, document)
	}
}

func TestEveryTypeInAResponse(t *testing.T) {
	for dtype, data := range map[string]string{
		"BOOL": "true", "INT8": "-128", "INT16": "-32768", "INT32": "-1", "INT64": "-9223372036854775808",
		"UINT8": "255", "UINT16": "65535", "UINT32": "4294967295", "UINT64": "18446744073709551615",
		"FP16": `"Infinity"`, "BF16": "1.5", "FP32": `"-Infinity"`, "FP64": `"Infinity"`, "BYTES": `"größe"`,
	} {
		body := `{"model_name":"","model_version":"","outputs":[{"name":"y","datatype":"` + dtype + `","shape":[1],"data":[` + data + `]}]}`
		got, err := codec.DecodeResponse([]byte(body), nil)
		require.NoError(t, err, dtype)
		again, err := codec.Append(nil, got)
		require.NoError(t, err)
		assert.Equal(t, strings.Replace(body, "BF16", "FP32", 1), string(again))
		_, err = codec.DecodeResponse([]byte(strings.Replace(body, data, "{}", 1)), nil)
		require.ErrorContains(t, err, "outputs[0].data[0]", dtype)
	}
}

// TestBinaryResponse reads what AppendBinary writes.
func TestBinaryResponse(t *testing.T) {
	outputs := []tensor.Named{
		want[float32](t, "n", dims(2), 1, -1), want(t, "t", dims(1), "Köln"),
		{Name: "s", Value: tensor.Sequence{mapOf(t, want[int64](t, "", dims(1), 3), "a")}},
	}
	r := &codec.Response{Form: codec.OIP, Model: "m", Version: "1", Outputs: outputs, BinaryOutputs: true, Binary: map[string]bool{"t": false}}
	body, header, err := codec.AppendBinary(nil, r)
	require.NoError(t, err)
	got, err := codec.DecodeServerResponse(body, header)
	require.NoError(t, err)
	assert.Equal(t, outputs, got.Outputs)
	for want, header := range map[string]int{
		"the body has":           len(body) + 1,
		"10 bytes are left":      header + 1,
		"has a length of":        header - 1,
		"0 bytes are left":       -1,
		"expected a JSON object": 0,
	} {
		_, err := codec.DecodeServerResponse(body, header)
		assert.ErrorContains(t, err, want, header)
	}
	_, err = codec.DecodeServerResponse(append(body, 'x'), header)
	assert.ErrorContains(t, err, "1 bytes are left over")
}

func TestDecodeMetadata(t *testing.T) {
	got, err := codec.DecodeMetadata([]byte(`{"name":"m","platform":"p","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2],"more":1}],"outputs":[]}`))
	require.NoError(t, err)
	assert.Equal(t, []tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(-1, 2)}}, got)
	_, err = codec.DecodeMetadata([]byte(`{"inputs":[{"name":"x","datatype":"FLOAT"}]}`))
	require.ErrorContains(t, err, `input "x" has datatype "FLOAT"`)
	_, err = codec.DecodeMetadata([]byte(`[]`))
	assert.Error(t, err)
}

// FuzzDecodeResponse holds for any body: what is accepted is JSON, and the same outputs when it is written again.
func FuzzDecodeResponse(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(strings.Replace(seed, `"inputs"`, `"outputs"`, 1)))
	}
	f.Add([]byte(`{"took":1,"outputs":[{"name":"m","datatype":"BYTES","shape":[2],"parameters":{"content_type":"json"},"data":["{\"a\":[]}","[\"NaN\",1]"]}]}`))
	f.Add([]byte(`{"outputs":[{"name":"m","datatype":"BF16","shape":[2],"data":["NaN",-0]}],"parameters":{"a":[{"b":null}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := codec.DecodeServerResponse(body, -1)
		if err != nil {
			require.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
			return
		}
		require.True(t, json.Valid(body), "accepted what is not JSON")
		first, err := codec.Append(nil, got)
		require.NoError(t, err)
		read, err := codec.DecodeResponse(first, nil)
		require.NoError(t, err)
		second, err := codec.Append(nil, read)
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
	})
}
