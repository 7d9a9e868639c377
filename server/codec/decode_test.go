package codec_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// spec is an input of any shape.
func spec(name string, d tensor.DType) tensor.Spec { return tensor.Spec{Name: name, DType: d} }

var (
	one   = []tensor.Spec{spec("x", tensor.FP32)}
	two   = []tensor.Spec{spec("age", tensor.Int64), spec("town", tensor.Bytes)}
	texts = []tensor.Spec{spec("s", tensor.Bytes)}
)

// want is a tensor that a body must give.
func want[T tensor.Element](t *testing.T, name string, shape []int64, data ...T) tensor.Named {
	t.Helper()
	if data == nil {
		data = []T{}
	}
	made, err := tensor.New(shape, data)
	require.NoError(t, err)
	return tensor.Named{Name: name, Value: made}
}

// dims is a shape.
func dims(n ...int64) []int64 { return append([]int64{}, n...) }

func TestDecodeForms(t *testing.T) {
	tests := []struct {
		name, body string
		specs      []tensor.Spec
		want       codec.Request
	}{
		{"rows", `{"instances": [[1, 2], [3, 4]]}`, one,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 2), 1, 2, 3, 4)}}},
		{"rows of numbers", `{"instances":[1.5,-2e0]}`, one,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[float32](t, "x", dims(2), 1.5, -2)}}},
		{"rows named though there is one input", `{"instances":[{"x":[1]},{"x":[2]}],"signature_name":"serving_default"}`, one,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 1), 1, 2)}}},
		{"rows of several inputs, in the order of the model", `{"instances":[{"town":"Köln","age":1},{"age":2,"town":"\u00c5"}]}`, two,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[int64](t, "age", dims(2), 1, 2), want(t, "town", dims(2), "Köln", "Å")}}},
		{"rows of nothing", `{"instances":[[],[]]}`, one,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 0))}}},
		{"deeper rows", `{"instances":[[[1,2]],[[3,4]]]}`, one,
			codec.Request{Form: codec.Rows, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 1, 2), 1, 2, 3, 4)}}},
		{"columns", `{"inputs":{"town":["a","b"],"age":[[1],[2]]}}`, two,
			codec.Request{Form: codec.Columns, Inputs: []tensor.Named{want[int64](t, "age", dims(2, 1), 1, 2), want(t, "town", dims(2), "a", "b")}}},
		{"column of the only input", "\n{ \"inputs\" : [ [ 1 ,\t2 ] ]\r\n} ", one,
			codec.Request{Form: codec.Columns, Inputs: []tensor.Named{want[float32](t, "x", dims(1, 2), 1, 2)}}},
		{"column of a scalar", `{"inputs":7,"signature_name":""}`, one,
			codec.Request{Form: codec.Columns, Inputs: []tensor.Named{want[float32](t, "x", dims(), 7)}}},
		{"column of a named scalar", `{"inputs":{"x":7}}`, one,
			codec.Request{Form: codec.Columns, Inputs: []tensor.Named{want[float32](t, "x", dims(), 7)}}},
		{"column of nothing", `{"inputs":[]}`, one,
			codec.Request{Form: codec.Columns, Inputs: []tensor.Named{want[float32](t, "x", dims(0))}}},
		{"oip", `{"id":"7","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}]}`, one,
			codec.Request{Form: codec.OIP, ID: "7", Inputs: []tensor.Named{want[float32](t, "x", dims(2, 2), 1, 2, 3, 4)}}},
		{"oip, data first and nested", `{"inputs":[{"data":[[1,2],[3,4]],"datatype":"FP32","parameters":{"content_type":"np"},"shape":[2,2],"name":"x"}]}`, one,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 2), 1, 2, 3, 4)}}},
		{"oip with every key", `{"parameters":{"priority":1,"scale":0.5,"on":true,"who":"me","binary_data_output":false},
			"outputs":[{"name":"label","parameters":{"binary_data":false}},{"name":"score"}],
			"inputs":[{"name":"town","shape":[1],"datatype":"BYTES","data":["a"]},{"name":"age","shape":[1],"datatype":"INT64","data":[9]}]}`, two,
			codec.Request{Form: codec.OIP, Outputs: []string{"label", "score"},
				Parameters: map[string]any{"priority": int64(1), "scale": 0.5, "on": true, "who": "me", "binary_data_output": false}, Binary: map[string]bool{"label": false},
				Inputs: []tensor.Named{want(t, "town", dims(1), "a"), want[int64](t, "age", dims(1), 9)}}},
		{"oip scalar in an array", `{"inputs":[{"name":"x","shape":[],"datatype":"FP32","data":[1]}],"outputs":[]}`, one,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[float32](t, "x", dims(), 1)}}},
		{"oip scalar", `{"inputs":[{"name":"x","shape":[],"datatype":"FP32","data":1}]}`, one,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[float32](t, "x", dims(), 1)}}},
		{"oip empty", `{"inputs":[{"name":"x","shape":[0,3],"datatype":"FP32","data":[]}]}`, one,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[float32](t, "x", dims(0, 3))}}},
		{"oip empty within", `{"inputs":[{"name":"x","shape":[2,0,3],"datatype":"FP32","data":[[],[]]}]}`, one,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[float32](t, "x", dims(2, 0, 3))}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := codec.Decode([]byte(tt.body), codec.Signature{Inputs: tt.specs})
			require.NoError(t, err)
			if tt.want.Form == codec.Rows {
				tt.want.Rows = int(tt.want.Inputs[0].Value.(*tensor.Tensor).Shape[0])
			}
			assert.Equal(t, &tt.want, got)
			own := codec.DecodeV1
			if tt.want.Form == codec.OIP {
				own = codec.DecodeOIP
			}
			got, err = own([]byte(tt.body), codec.Signature{Inputs: tt.specs})
			require.NoError(t, err)
			assert.Equal(t, &tt.want, got)
		})
	}
}

func TestDecodeOIPWithoutSpecs(t *testing.T) {
	got, err := codec.DecodeOIP([]byte(`{"inputs":[{"name":"any","shape":[1],"datatype":"UINT8","data":[255]}]}`), codec.Signature{})
	require.NoError(t, err)
	assert.Equal(t, []tensor.Named{want[uint8](t, "any", dims(1), 255)}, got.Inputs)
}

// refuse checks that a body is refused with a message that has every part and little of the body.
func refuse(t *testing.T, decode func([]byte, codec.Signature) (*codec.Request, error), body string, specs []tensor.Spec, parts ...string) {
	t.Helper()
	got, err := decode([]byte(body), codec.Signature{Inputs: specs})
	require.Error(t, err, "got %+v", got)
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	for _, part := range parts {
		assert.Contains(t, err.Error(), part)
	}
	assert.Less(t, len(err.Error()), 300)
}

func TestDecodeRefusesForms(t *testing.T) {
	tests := []struct {
		name, body string
		specs      []tensor.Spec
		parts      []string
	}{
		{"nothing", ``, one, []string{"body: got the end of the body, expected a JSON object"}},
		{"white space", " \n", one, []string{"the end of the body"}},
		{"not JSON", `hello`, one, []string{"got hello, which JSON does not have, expected a JSON object"}},
		{"a byte order mark", "\ufeff{}", one, []string{"JSON object"}},
		{"an array", `[[1,2]]`, one, []string{"got an array", "JSON object"}},
		{"no inputs", `{}`, one, []string{`expected one of the keys "instances" or "inputs"`}},
		{"an unknown key", `{"instance":[[1]]}`, one, []string{`unknown key "instance"`, `"instances"`}},
		{"a long unknown key", `{"` + strings.Repeat("k", 1<<16) + `":1}`, one, []string{`unknown key "kkk`}},
		{"a duplicate key", `{"instances":[[1]],"instances":[[2]]}`, one, []string{`duplicate key "instances"`}},
		{"a duplicate key, escaped", `{"instances":[[1]],"\u0069nstances":[[2]]}`, one, []string{`duplicate key "instances"`}},
		{"rows and columns", `{"instances":[[1]],"inputs":[[1]]}`, one, []string{"contradict"}},
		{"rows with an id", `{"instances":[[1]],"id":"1"}`, one, []string{`"id" belongs to the Open Inference Protocol`}},
		{"columns with outputs", `{"outputs":[{"name":"y"}],"inputs":{"x":1}}`, one, []string{`"outputs" belongs to`}},
		{"oip with a signature", `{"signature_name":"","inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`, one, []string{"signature_name"}},
		{"another signature", `{"signature_name":"train","instances":[[1]]}`, one, []string{`signature_name: got "train"`}},
		{"something after", `{"instances":[[1]]} {}`, one, []string{"something follows", "byte 20"}},
		{"a trailing comma", `{"instances":[[1]],}`, one, []string{`got "}"`, "a key"}},
		{"a trailing comma in an array", `{"instances":[[1,]]}`, one, []string{"instances[0][1]", `got "]"`, "a number (FP32)"}},
		{"no comma", `{"instances":[[1 2]]}`, one, []string{"instances[0]", "got the number 2 at byte 17"}},
		{"no colon", `{"instances" [[1]]}`, one, []string{"instances", `expected ":"`}},
		{"a key that is no string", `{1:2}`, one, []string{"expected a key"}},
		{"a comment", `{"instances":[[1]] /* */}`, one, []string{`got "/*"`}},

		{"no rows", `{"instances":[]}`, one, []string{"instances: got no rows"}},
		{"rows that are none", `{"instances":7}`, one, []string{"instances: got the number 7, expected an array of rows"}},
		{"null rows", `{"instances":null}`, one, []string{`expected one of the keys "instances" or "inputs"`}},
		{"a duplicate key, null", `{"id":null,"id":null,"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`, one, []string{`duplicate key "id"`}},
		{"a null row", `{"instances":[null]}`, one, []string{"instances[0]: got null, expected a number"}},
		{"ragged rows", `{"instances":[[1,2],[3]]}`, one, []string{"instances[1]: ragged: got 1 elements, expected 2"}},
		{"ragged within", `{"instances":[[[1],[2]],[[3],[4,5]]]}`, one, []string{"instances[1][1]: ragged: got 2 elements, expected 1"}},
		{"a number among arrays", `{"instances":[[1,2],3]}`, one, []string{"instances[1]: got the number 3, expected an array"}},
		{"an array among numbers", `{"instances":[1,[2]]}`, one, []string{"instances[1]: got an array, expected a single value"}},
		{"an array among elements", `{"instances":[[1,[2]]]}`, one, []string{"instances[0][1]: got an array, expected a number (FP32)"}},
		{"elements where arrays were", `{"instances":[[[1]],[2]]}`, one, []string{"instances[1][0]: got the number 2, expected an array"}},
		{"an element after arrays", `{"instances":[[[1],2]]}`, one, []string{"instances[0][1]: got the number 2, expected an array"}},
		{"emptiness where arrays were", `{"instances":[[[1]],[]]}`, one, []string{"instances[1]: ragged: got 0 elements, expected 1"}},
		{"arrays where emptiness was", `{"instances":[[],[[1]]]}`, one, []string{"instances[1][0]: got an array, expected a number"}},
		{"an object row after arrays", `{"instances":[[1],{"x":[1]}]}`, one, []string{"instances[1]: got an object, expected an array"}},
		{"an array after object rows", `{"instances":[{"x":[1]},[1]]}`, one, []string{`instances[1]: got an array, expected an object with a value for each of "x"`}},
		{"a wrong name", `{"instances":[{"y":[1]}]}`, one, []string{`instances[0]: unknown input "y", the model has "x"`}},
		{"a missing input", `{"instances":[{"age":1,"town":"a"},{"age":1}]}`, two, []string{`instances[1]: missing input "town"`}},
		{"a duplicate input", `{"instances":[{"age":1,"age":1}]}`, two, []string{`instances[0]: duplicate input "age"`}},
		{"an array for several inputs", `{"instances":[[1,"a"]]}`, two, []string{`instances[0]: got an array, expected an object with a value for each of "age", "town"`}},
		{"a ragged input", `{"instances":[{"age":[1],"town":"a"},{"age":[1,2],"town":"a"}]}`, two, []string{"instances[1].age: ragged"}},

		{"an array for several columns", `{"inputs":[1,2]}`, two, []string{`inputs: got an array, expected an object with a value for each of "age", "town"`}},
		{"a wrong column", `{"inputs":{"z":1}}`, one, []string{`inputs: unknown input "z"`}},
		{"a missing column", `{"inputs":{"age":[1]}}`, two, []string{`inputs: missing input "town"`}},
		{"a duplicate column", `{"inputs":{"x":1,"x":2}}`, one, []string{`inputs: duplicate input "x"`}},
		{"a ragged column", `{"inputs":{"x":[[1],[1,2]]}}`, one, []string{"inputs.x[1]: ragged"}},
		{"a null column", `{"inputs":{"x":null}}`, one, []string{"inputs.x: got null"}},
		{"BF16", `{"inputs":{"x":1}}`, []tensor.Spec{spec("x", tensor.BF16)}, []string{"inputs.x: BF16 has no JSON form"}},
		{"a sequence", `{"instances":[1]}`, []tensor.Spec{{Name: "q", Kind: tensor.KindSequence}}, []string{"instances.q: the model wants a sequence"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refuse(t, codec.Decode, tt.body, tt.specs, tt.parts...) })
	}
	t.Run("oip sent to v1", func(t *testing.T) {
		refuse(t, codec.DecodeV1, `{"inputs":[{"name":"x"}]}`, one, "inputs: got an array of objects", "/v2")
		refuse(t, codec.DecodeV1, `{"id":"1","instances":[1]}`, one, `unknown key "id"`)
	})
	t.Run("rows sent to v2", func(t *testing.T) {
		refuse(t, codec.DecodeOIP, `{"instances":[[1]]}`, one, `unknown key "instances"`, `"inputs"`)
		refuse(t, codec.DecodeOIP, `{"inputs":{"x":[1]}}`, one, "inputs: got an object, expected an array of objects")
	})
}
