package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// Clients of TensorFlow Serving and KServe send bytes as {"b64": "…"} wherever a string may stand.
func TestBytesInBase64(t *testing.T) {
	image := []tensor.Spec{spec("image_bytes", tensor.Bytes), spec("key", tensor.Bytes)}
	tests := map[string]struct {
		body   string
		specs  []tensor.Spec
		shape  []int64
		values []string
	}{
		"a row":                        {`{"instances":[{"b64":"aGVsbG8="},"text"]}`, texts, dims(2), []string{"hello", "text"}},
		"an array in a row":            {`{"instances":[["a",{"b64":"/9j/4A=="}]]}`, texts, dims(1, 2), []string{"a", "\xff\xd8\xff\xe0"}},
		"a named input of a row":       {`{"instances":[{"s":{"b64":"aGVsbG8="}}]}`, texts, dims(1), []string{"hello"}},
		"beside another input":         {`{"instances":[{"key":"1","image_bytes":{ "b64" : "aGVsbG8=" }}]}`, image, dims(1), []string{"hello"}},
		"a column":                     {`{"inputs":{"s":[{"b64":""},"a"]}}`, texts, dims(2), []string{"", "a"}},
		"the column of the only input": {`{"inputs":[{"b64":"aGVsbG8="}]}`, texts, dims(1), []string{"hello"}},
		"a scalar":                     {`{"inputs":{"b64":"aGVsbG8="}}`, texts, dims(), []string{"hello"}},
		"data":                         {`{"inputs":[{"name":"s","shape":[2],"datatype":"BYTES","data":[{"b64":"aGVsbG8="},"a"]}]}`, texts, dims(2), []string{"hello", "a"}},
		"data before its name":         {`{"inputs":[{"data":[{"b64":"aGVsbG8="}],"name":"s","shape":[1],"datatype":"BYTES"}]}`, texts, dims(1), []string{"hello"}},
		"an input of that name":        {`{"instances":[{"b64":"aGVsbG8="}]}`, []tensor.Spec{spec("b64", tensor.Bytes)}, dims(1), []string{"aGVsbG8="}},
		"an escaped slash":             {`{"instances":[{"b64":"\/9j\/"}]}`, texts, dims(1), []string{"\xff\xd8\xff"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := codec.Decode([]byte(tt.body), codec.Signature{Inputs: tt.specs})
			require.NoError(t, err)
			first := got.Inputs[0].Value.(*tensor.Tensor)
			assert.Equal(t, &tensor.Tensor{DType: tensor.Bytes, Shape: tt.shape, Data: tt.values}, first)
		})
	}
	for part, body := range map[string]string{
		`instances[0].b64: got "a", which is not base64`:   `{"instances":[{"b64":"a"}]}`,
		`instances[0].b64: got the number 1`:               `{"instances":[{"b64":1}]}`,
		`instances[0].b64: got null`:                       `{"instances":[{"b64":null}]}`,
		`instances[0]: got an object with the key "c"`:     `{"instances":[{"b64":"","c":1}]}`,
		`instances[0]: duplicate key "b64"`:                `{"instances":[{"b64":"","b64":""}]}`,
		`instances[0].s: got an empty object`:              `{"instances":[{"s":{}}]}`,
		`instances[1]: unknown input "b64"`:                `{"instances":[{"s":"a"},{"b64":"aGVsbG8="}]}`,
		`inputs.s[0]: got an object with the key "base64"`: `{"inputs":{"s":[{"base64":""}]}}`,
	} {
		refuse(t, codec.DecodeV1, body, texts, part)
	}
	refuse(t, codec.DecodeV1, `{"instances":[{"b64":"aGVsbG8="}]}`, one, `unknown input "b64"`)
	refuse(t, codec.DecodeV1, `{"instances":[{"x":{"b64":"aGVsbG8="}}]}`, one, "instances[0].x: got an object, expected a number (FP32)")
}

// An answer whose bytes are not UTF-8 has them in base64 in every form, and others as strings.
func TestBytesThatAreNotUTF8(t *testing.T) {
	r := &codec.Response{Model: "m", Version: "1", Rows: 2, Outputs: []tensor.Named{want(t, "s", dims(2), "\xff\xd8", "é")}}
	for form, body := range map[codec.Form]string{
		codec.Rows:    `{"predictions":[{"b64":"/9g="},"é"]}`,
		codec.Columns: `{"outputs":{"s":[{"b64":"/9g="},"é"]}}`,
		codec.OIP:     `{"model_name":"m","model_version":"1","outputs":[{"name":"s","datatype":"BYTES","shape":[2],"data":[{"b64":"/9g="},"é"]}]}`,
	} {
		r.Form = form
		assert.Equal(t, body, encode(t, r))
	}
	r.Form = codec.OIP
	read, err := codec.DecodeResponse([]byte(encode(t, r)), nil)
	require.NoError(t, err)
	assert.Equal(t, r.Outputs, read.Outputs)

	text := want(t, "s", dims(2), "\xff\xd8", "é").Value.(*tensor.Tensor)
	sequence := tensor.Sequence{text, tensor.Map{Keys: want(t, "k", dims(2), "a", "b").Value.(*tensor.Tensor), Values: text}}
	documents, err := codec.FromDocuments(codec.Documents(sequence))
	require.NoError(t, err)
	assert.Equal(t, sequence, documents)
}

// Keys of maps are JSON in every form, which has no other bytes than UTF-8.
func TestKeysThatAreNotUTF8(t *testing.T) {
	keys := func(all ...string) tensor.Sequence {
		values := want[float32](t, "v", dims(2), 1, 2).Value.(*tensor.Tensor)
		return tensor.Sequence{tensor.Map{Keys: want(t, "k", dims(2), all...).Value.(*tensor.Tensor), Values: values}}
	}
	require.NoError(t, codec.CheckKeys([]tensor.Named{{Name: "p", Value: keys("a", "é")}}))
	err := codec.CheckKeys([]tensor.Named{{Name: "p", Value: keys("a", "\xff")}})
	require.ErrorContains(t, err, `output "p" is a map with the key "\xff", which is not UTF-8`)
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
}
