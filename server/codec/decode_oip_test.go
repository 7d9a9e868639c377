package codec_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

func TestDecodeRefusesOIP(t *testing.T) {
	input := func(shape, datatype, data string) string {
		return `{"inputs":[{"name":"x","shape":` + shape + `,"datatype":"` + datatype + `","data":` + data + `}]}`
	}
	with := func(rest string) string {
		return `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]` + rest
	}
	tests := []struct {
		name, body string
		parts      []string
	}{
		{"no name", `{"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]}`, []string{`inputs[0]: missing key "name"`}},
		{"no shape", `{"inputs":[{"name":"x","datatype":"FP32","data":[1]}]}`, []string{`inputs[0]: missing key "shape"`}},
		{"no datatype", `{"inputs":[{"name":"x","shape":[1],"data":[1]}]}`, []string{`inputs[0]: missing key "datatype"`}},
		{"no data", `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}`, []string{`inputs[0]: missing key "data"`}},
		{"an unknown key", with(`,"dtype":"FP32"}]}`), []string{`inputs[0]: unknown key "dtype"`}},
		{"a duplicate key", with(`,"data":[1]}]}`), []string{`inputs[0]: duplicate key "data"`}},
		{"a duplicate shape", with(`,"shape":[1]}]}`), []string{`inputs[0]: duplicate key "shape"`}},
		{"a duplicate input", with(`},{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`), []string{`inputs[1].name: duplicate input "x"`}},
		{"a wrong name", `{"inputs":[{"name":"nope","shape":[1],"datatype":"FP32","data":[1]}]}`, []string{`inputs[0].name: unknown input "nope", the model has "x"`}},
		{"a name that is none", `{"inputs":[{"name":1}]}`, []string{"inputs[0].name: got the number 1, expected a string"}},
		{"an unknown datatype", input(`[1]`, "FLOAT", `[1]`), []string{`inputs[0].datatype: got "FLOAT", expected BOOL`}},
		{"a wrong datatype", input(`[1]`, "INT64", `[1]`), []string{"inputs[0].data: got datatype INT64, the model wants FP32"}},
		{"BF16", input(`[1]`, "BF16", `[1]`), []string{"inputs[0].data"}},
		{"a shape that is none", input(`4`, "FP32", `[1]`), []string{"inputs[0].shape: got the number 4, expected an array"}},
		{"a negative dimension", input(`[-1,4]`, "FP32", `[1]`), []string{"inputs[0].shape[0]: got -1"}},
		{"a dimension of half", input(`[1.5]`, "FP32", `[1]`), []string{"inputs[0].shape[0]", "whole number"}},
		{"a huge dimension", input(`[9223372036854775808]`, "FP32", `[1]`), []string{"inputs[0].shape[0]", "does not fit INT64"}},
		{"a shape that overflows", input(`[4294967296,4294967296]`, "FP32", `[1]`), []string{"inputs[0].data", "overflows"}},
		{"a null dimension", input(`[null]`, "FP32", `[1]`), []string{"inputs[0].shape[0]: got null"}},
		{"a shape too long", input(`[`+strings.Repeat("1,", 99)+`1]`, "FP32", `[1]`), []string{"inputs[0].shape[32]: got more than 32 dimensions"}},
		{"too few", input(`[2,2]`, "FP32", `[1,2,3]`), []string{"inputs[0].data: got 3 elements, shape [2,2] has 4"}},
		{"too many", input(`[2]`, "FP32", `[1,2,3]`), []string{"inputs[0].data: got 3 elements, shape [2] has 2"}},
		{"far too few", input(`[9223372036854775807]`, "FP32", `[1]`), []string{"got 1 elements, shape [9223372036854775807]"}},
		{"nested otherwise", input(`[2,3]`, "FP32", `[[1,2],[3,4],[5,6]]`), []string{"inputs[0].data: got arrays nested as [3,2], shape is [2,3]"}},
		{"ragged", input(`[2,2]`, "FP32", `[[1,2],[3]]`), []string{"inputs[0].data[1]: ragged"}},
		{"a null element", input(`[2]`, "FP32", `[1,null]`), []string{"inputs[0].data[1]: got null, expected a number (FP32)"}},
		{"null data", input(`[1]`, "FP32", `null`), []string{`inputs[0]: missing key "data"`}},
		{"data first and wrong", `{"inputs":[{"data":[1,"a"],"name":"x","shape":[2],"datatype":"FP32"}]}`, []string{"inputs[0].data[1]: got a string"}},
		{"data first and broken", `{"inputs":[{"data":[1,],"name":"x","shape":[2],"datatype":"FP32"}]}`, []string{"inputs[0].data[1]"}},
		{"data first and crossed", `{"inputs":[{"data":[1},"name":"x","shape":[1],"datatype":"FP32"}]}`, []string{"inputs[0]"}},
		{"data first, without end", `{"inputs":[{"data":[1`, []string{"inputs[0].data: got the end of the body"}},
		{"data missing first", `{"inputs":[{"data":,"name":"x"}]}`, []string{`inputs[0].data: got ","`}},
		{"binary data requested with a number", with(`}],"parameters":{"binary_data_output":1}}`), []string{"parameters.binary_data_output: got 1, expected true or false"}},
		{"binary data sent", `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}`, []string{"inputs[0].parameters.binary_data_size: data after the JSON needs the header Inference-Header-Content-Length"}},
		{"shared memory", `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}]}`, []string{"the shared memory extension"}},
		{"base64", with(`,"parameters":{"content_type":"base64"}}]}`), []string{"inputs[0].parameters.content_type"}},
		{"parameters that are none", with(`}],"parameters":[]}`), []string{"parameters: got an array, expected an object"}},
		{"a deep parameter", with(`}],"parameters":{"a":{}}}`), []string{"parameters.a: got an object, expected a string, a number or a boolean"}},
		{"a duplicate null parameter", with(`}],"parameters":{"a":null,"a":1}}`), []string{`parameters: duplicate key "a"`}},
		{"duplicate null data", `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":null,"data":[1]}]}`, []string{`inputs[0]: duplicate key "data"`}},
		{"a null name", `{"inputs":[{"name":null}]}`, []string{"inputs[0].name: got null, expected a string"}},
		{"binary data requested with a string", with(`}],"parameters":{"binary_data_output":"true"}}`), []string{`parameters.binary_data_output: got "true", expected true or false`}},
		{"a duplicate parameter", with(`}],"parameters":{"a":1,"a":2}}`), []string{`parameters: duplicate key "a"`}},
		{"outputs that are none", with(`}],"outputs":{}}`), []string{"outputs: got an object, expected an array"}},
		{"outputs by name only", with(`}],"outputs":["y"]}`), []string{"outputs[0]: got a string, expected an object"}},
		{"an output without a name", with(`}],"outputs":[{}]}`), []string{`outputs[0]: missing key "name"`}},
		{"a duplicate output", with(`}],"outputs":[{"name":"y"},{"name":"y"}]}`), []string{`outputs[1].name: duplicate output "y"`}},
		{"an unknown key of an output", with(`}],"outputs":[{"name":"y","shape":[1]}]}`), []string{`outputs[0]: unknown key "shape"`}},
		{"a duplicate key of an output", with(`}],"outputs":[{"name":"y","name":"y"}]}`), []string{`outputs[0]: duplicate key "name"`}},
		{"classification", with(`}],"outputs":[{"name":"y","parameters":{"classification":3}}]}`), []string{"outputs[0].parameters.classification"}},
		{"an id that is a number", with(`}],"id":7}`), []string{"id: got the number 7, expected a string"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			refuse(t, codec.Decode, tt.body, one, tt.parts...)
			refuse(t, codec.DecodeOIP, tt.body, one, tt.parts...)
		})
	}
	t.Run("inputs that are none", func(t *testing.T) {
		refuse(t, codec.DecodeOIP, `{"inputs":"x"}`, one, "inputs: got a string, expected an array of objects")
		refuse(t, codec.DecodeOIP, `{"inputs":[7]}`, one, "inputs[0]: got the number 7, expected an object")
	})
	t.Run("BF16 in JSON", func(t *testing.T) {
		refuse(t, codec.DecodeOIP, input(`[1]`, "BF16", `[1]`), nil, "inputs[0].data: BF16 has no JSON form")
	})
}

// A member that is null is as good as left out: so pydantic, Jackson and System.Text.Json write what is not set.
func TestNullIsLeftOut(t *testing.T) {
	tests := map[string]struct{ body, same string }{
		"oip": {
			`{"id":null,"parameters":null,"outputs":null,"model_name":null,"model_version":null,
				"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":null,"data":[1]}]}`,
			`{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`,
		},
		"parameters": {
			`{"parameters":{"priority":null,"who":"me"},"outputs":[{"name":"y","parameters":{"binary_data":null}},{"parameters":null,"name":"z"}],
				"inputs":[{"parameters":{"binary_data_size":null,"content_type":null},"data":[1],"name":"x","shape":[1],"datatype":"FP32"}]}`,
			`{"parameters":{"who":"me"},"outputs":[{"name":"y"},{"name":"z"}],
				"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`,
		},
		"rows":                  {`{"signature_name":null,"inputs":null,"instances":[1]}`, `{"instances":[1]}`},
		"columns":               {`{"instances":null,"signature_name":null,"inputs":[1]}`, `{"inputs":[1]}`},
		"keys of another form":  {`{"instances":[1],"id":null,"parameters":null,"outputs":null}`, `{"instances":[1]}`},
		"signature beside oip":  {`{"signature_name":null,"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`, `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`},
		"white space before it": {"{\"id\" :\n null , \"inputs\":[1]}", `{"inputs":[1]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := codec.Decode([]byte(tt.body), codec.Signature{Inputs: one})
			require.NoError(t, err)
			want, err := codec.Decode([]byte(tt.same), codec.Signature{Inputs: one})
			require.NoError(t, err)
			if len(got.Parameters) == 0 {
				got.Parameters = nil
			}
			assert.Equal(t, want, got)
		})
	}
	t.Run("data that follows the JSON", func(t *testing.T) {
		header := `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":null,"parameters":{"binary_data_size":4}}]}`
		got, err := codec.DecodeBinary([]byte(header+"\x00\x00\x80\x3f"), len(header), codec.Signature{Inputs: one})
		require.NoError(t, err)
		assert.Equal(t, []tensor.Named{want[float32](t, "x", dims(1), 1)}, got.Inputs)
	})
	t.Run("a response", func(t *testing.T) {
		got, err := codec.DecodeResponse([]byte(`{"id":null,"model_name":null,"parameters":null,
			"outputs":[{"name":"y","parameters":null,"shape":[1],"datatype":"FP32","data":[1]},
				{"name":"z","parameters":{"content_type":null,"binary_data_size":null},"shape":[1],"datatype":"FP32","data":[1]}]}`), nil)
		require.NoError(t, err)
		assert.Equal(t, []tensor.Named{want[float32](t, "y", dims(1), 1), want[float32](t, "z", dims(1), 1)}, got.Outputs)
	})
}

// TestEveryTruncation cuts good bodies everywhere: each piece is an error, none a panic.
func TestEveryTruncation(t *testing.T) {
	for _, body := range []string{
		`{"instances": [{"age": 1, "town": "a\u00e9\ud83d\ude00"}], "signature_name": "serving_default"}`,
		`{"inputs":[{"data":["x\\",""],"name":"town","shape":[2],"datatype":"BYTES","parameters":{"a":-1.5e-7}},{"name":"age","shape":[],"datatype":"INT64","data":[12]}],"id":"a","outputs":[{"name":"y"}]}`,
	} {
		_, err := codec.Decode([]byte(body), codec.Signature{Inputs: two})
		require.NoError(t, err)
		for n := range len(body) {
			refuse(t, codec.Decode, body[:n], two)
		}
	}
}

func TestDeepNesting(t *testing.T) {
	for _, depth := range []int{33, 1_000_000} {
		refuse(t, codec.Decode, `{"instances":`+strings.Repeat("[", depth), one, "nested deeper than 32")
		refuse(t, codec.Decode, `{"inputs":{"x":`+strings.Repeat("[", depth), one, "nested deeper than 32")
		refuse(t, codec.Decode, `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":`+strings.Repeat("[", depth), one, "nested deeper than 32")
		refuse(t, codec.Decode, `{"inputs":[{"data":`+strings.Repeat("[", depth), one, "the end of the body")
		refuse(t, codec.Decode, strings.Repeat(`{"inputs":`, depth), one)
	}
}

// TestShapeDoesNotAllocate claims much and sends little.
func TestShapeDoesNotAllocate(t *testing.T) {
	body := []byte(`{"inputs":[{"name":"x","shape":[1000000,1000000],"datatype":"FP32","data":[1]}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := codec.Decode(body, codec.Signature{Inputs: one})
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
}

// TestLargeBody is right but for one byte near the end.
func TestLargeBody(t *testing.T) {
	const n = 2_500_000
	body := []byte(`{"inputs":{"x":[` + strings.Repeat("0.5,", n-1) + `0.5]}}`)
	got, err := codec.Decode(body, codec.Signature{Inputs: one})
	require.NoError(t, err)
	assert.Equal(t, []int64{n}, got.Inputs[0].Value.(*tensor.Tensor).Shape)
	body[len(body)-8] = 'x'
	refuse(t, codec.Decode, string(body), one, "inputs.x[2499998]")
}
