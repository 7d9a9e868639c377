package codec_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// binaryInput describes an input whose data follows the JSON.
func binaryInput(name, dtype, shape string, size int) string {
	return fmt.Sprintf(`{"name":%q,"datatype":%q,"shape":%s,"parameters":{"binary_data_size":%d}}`, name, dtype, shape, size)
}

func elementsOf(t *tensor.Tensor) int { return reflect.ValueOf(t.Data).Len() }

func TestDecodeBinary(t *testing.T) {
	age, town := "\x07\x00\x00\x00\x00\x00\x00\x00", length(5)+"K\xc3\xb6ln"
	ages, towns := want[int64](t, "age", dims(1), 7), want(t, "town", dims(1), "Köln")
	for name, test := range map[string]struct {
		head, data string
		want       codec.Request
	}{
		"several, in the order of the body": {
			`{"inputs":[` + binaryInput("town", "BYTES", "[1]", 9) + `,` + binaryInput("age", "INT64", "[1]", 8) + `]}`, town + age,
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{towns, ages}},
		},
		"with one in JSON between": {
			`{"id":"a","inputs":[` + binaryInput("age", "INT64", "[1]", 8) + `,{"name":"town","datatype":"BYTES","shape":[1],"data":["Köln"]}]}`, age,
			codec.Request{Form: codec.OIP, ID: "a", Inputs: []tensor.Named{ages, towns}},
		},
		"described last": {
			`{"inputs":[{"parameters":{"binary_data_size":8},"shape":[1],"datatype":"INT64","name":"age"},{"data":["Köln"],"name":"town","datatype":"BYTES","shape":[1]}],"parameters":{"binary_data_output":true},"outputs":[{"name":"y","parameters":{"binary_data":false}}]}`, age,
			codec.Request{
				Form: codec.OIP, Inputs: []tensor.Named{ages, towns}, Outputs: []string{"y"},
				Parameters: map[string]any{"binary_data_output": true}, BinaryOutputs: true, Binary: map[string]bool{"y": false},
			},
		},
		"nothing of it": {
			`{"inputs":[` + binaryInput("age", "INT64", "[0]", 0) + `,` + binaryInput("town", "BYTES", "[0,2]", 0) + `]}`, "",
			codec.Request{Form: codec.OIP, Inputs: []tensor.Named{want[int64](t, "age", dims(0)), want[string](t, "town", dims(0, 2))}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for by := range 8 {
				got, err := codec.DecodeBinary(shifted([]byte(test.head+test.data), by), len(test.head), codec.Signature{Inputs: two})
				require.NoError(t, err)
				assert.Equal(t, &test.want, got)
			}
		})
	}
}

func TestDecodeBinaryWithoutJSON(t *testing.T) {
	for name, test := range map[string]struct {
		spec tensor.Spec
		body string
		want tensor.Named
	}{
		"a size that follows": {tensor.Spec{Name: "x", DType: tensor.Int16, Shape: dims(-1, 2)}, "12345678", want[int16](t, "x", dims(2, 2), 0x3231, 0x3433, 0x3635, 0x3837)},
		"a size that is set":  {tensor.Spec{Name: "x", DType: tensor.Uint8, Shape: dims(1, 3)}, "abc", want[uint8](t, "x", dims(1, 3), 'a', 'b', 'c')},
		"a scalar":            {tensor.Spec{Name: "x", DType: tensor.Uint8}, "a", want[uint8](t, "x", dims(), 'a')},
		"nothing":             {tensor.Spec{Name: "x", DType: tensor.FP32, Shape: dims(-1, 4)}, "", want[float32](t, "x", dims(0, 4))},
		"a text":              {tensor.Spec{Name: "s", DType: tensor.Bytes, Shape: dims(-1)}, "\x01\x00\x00\x00!", want(t, "s", dims(1), "\x01\x00\x00\x00!")},
		"no text":             {tensor.Spec{Name: "s", DType: tensor.Bytes, Shape: dims(1, 1)}, "", want(t, "s", dims(1, 1), "")},
	} {
		t.Run(name, func(t *testing.T) {
			shape := append([]int64{}, test.spec.Shape...)
			got, err := codec.DecodeBinary([]byte(test.body), 0, codec.Signature{Inputs: []tensor.Spec{test.spec}})
			require.NoError(t, err)
			assert.Equal(t, &codec.Request{Form: codec.OIP, Inputs: []tensor.Named{test.want}, BinaryOutputs: true}, got)
			assert.ElementsMatch(t, shape, test.spec.Shape, "the model's own shape must stay as it is")
		})
	}
	for name, test := range map[string]struct {
		specs []tensor.Spec
		body  string
		says  string
	}{
		"two inputs":         {two, "a", "the model has 2"},
		"two open":           {[]tensor.Spec{{Name: "x", DType: tensor.Uint8, Shape: dims(-1, -1)}}, "a", "open in more than one dimension"},
		"a size between":     {[]tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(-1, 2)}}, "123456789012", "got 12 bytes"},
		"half an element":    {[]tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(-1)}}, "12345", "got 5 bytes"},
		"another size":       {[]tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(2)}}, "1234", "got 4 bytes"},
		"several texts":      {[]tensor.Spec{{Name: "s", DType: tensor.Bytes, Shape: dims(-1, 2)}}, "a", "not one element"},
		"a sequence":         {[]tensor.Spec{{Name: "s", Kind: tensor.KindSequence}}, "a", "no datatype that has a binary form"},
		"an empty dimension": {[]tensor.Spec{{Name: "x", DType: tensor.Uint8, Shape: dims(-1, 0)}}, "ab", "got 2 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			refuseBinary(t, test.body, 0, test.specs, test.says)
		})
	}
}

func refuseBinary(t *testing.T, body string, header int, specs []tensor.Spec, says string) {
	t.Helper()
	refuse(t, func(body []byte, s codec.Signature) (*codec.Request, error) {
		return codec.DecodeBinary(body, header, s)
	}, body, specs, says)
}

func TestDecodeBinaryRefuses(t *testing.T) {
	age := binaryInput("age", "INT64", "[1]", 8)
	town := binaryInput("town", "BYTES", "[1]", 9)
	for name, test := range map[string]struct{ inputs, data, says string }{
		"too little":             {age + "," + town, "12345678" + length(5) + "abcd", "inputs[1].parameters.binary_data_size: is 9, 8 bytes are left in the body"},
		"too much":               {age, "123456789", "body: 1 bytes are left over"},
		"another size":           {binaryInput("age", "INT64", "[1]", 7), "1234567", `inputs[0].parameters.binary_data_size: "age": got 7 bytes`},
		"a length that lies":     {town, length(6) + "abcde", `"town": element 0: has a length of 6, 5 bytes are left`},
		"another datatype":       {binaryInput("age", "FP64", "[1]", 8), "12345678", "the model wants INT64"},
		"a huge size":            {binaryInput("age", "INT64", "[1]", 1<<62), "12345678", "8 bytes are left in the body"},
		"a shape that overflows": {binaryInput("age", "INT64", "[4294967296,4294967296]", 8), "12345678", "overflows"},
		"data besides":           {strings.Replace(age, `"shape"`, `"data":[1],"shape"`, 1), "12345678", "contradict"},
		"twice":                  {age + "," + age, "1234567812345678", "duplicate input"},
	} {
		t.Run(name, func(t *testing.T) {
			head := `{"inputs":[` + test.inputs + `]}`
			refuseBinary(t, head+test.data, len(head), two, test.says)
		})
	}
	head := `{"inputs":[` + age + `]}`
	for name, test := range map[string]struct {
		header int
		says   string
	}{
		"a header beyond the body":    {len(head) + 9, "the body has"},
		"a header below nothing":      {-1, "Inference-Header-Content-Length: is -1"},
		"a header that ends early":    {len(head) - 1, ""},
		"a header that ends too late": {len(head) + 1, "is 8, 7 bytes are left in the body"},
		"a header of the whole body":  {len(head) + 8, "is 8, 0 bytes are left in the body"},
	} {
		t.Run(name, func(t *testing.T) {
			refuseBinary(t, head+"12345678", test.header, two, test.says)
		})
	}
}

func TestAppendBinary(t *testing.T) {
	numbers, text := want[float32](t, "n", dims(2), 1, -1), want(t, "t", dims(1), "Köln")
	sequence := tensor.Named{Name: "s", Value: tensor.Sequence{numbers.Value}}
	raw := "\x00\x00\x80\x3f\x00\x00\x80\xbf"
	inJSON := `{"name":"n","datatype":"FP32","shape":[2],"data":[1,-1]}`
	inBinary := `{"name":"n","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}`
	for name, test := range map[string]struct {
		all        bool
		binary     map[string]bool
		outputs    []tensor.Named
		json, data string // the whole body is JSON when no output is in binary
		header     bool
	}{
		"all":          {true, nil, []tensor.Named{numbers, text}, inBinary + `,{"name":"t","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}`, raw + length(5) + "Köln", true},
		"all but one":  {true, map[string]bool{"n": false}, []tensor.Named{numbers, text}, inJSON + `,{"name":"t","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}`, length(5) + "Köln", true},
		"one":          {false, map[string]bool{"n": true}, []tensor.Named{text, numbers}, `{"name":"t","datatype":"BYTES","shape":[1],"data":["Köln"]},` + inBinary, raw, true},
		"none":         {false, nil, []tensor.Named{numbers}, inJSON, "", false},
		"none said so": {true, map[string]bool{"n": false}, []tensor.Named{numbers}, inJSON, "", false},
		"documents":    {true, nil, []tensor.Named{sequence}, `{"name":"s","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":10,"content_type":"json"}}`, length(6) + "[1,-1]", true},
		"nothing":      {true, nil, []tensor.Named{want[float32](t, "n", dims(0))}, `{"name":"n","datatype":"FP32","shape":[0],"parameters":{"binary_data_size":0}}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			body, header, err := codec.AppendBinary([]byte("before"), &codec.Response{
				Model: "m", Version: "1", Form: codec.OIP, Outputs: test.outputs, BinaryOutputs: test.all, Binary: test.binary,
			})
			require.NoError(t, err)
			json := `{"model_name":"m","model_version":"1","outputs":[` + test.json + `]}`
			assert.Equal(t, "before"+json+test.data, string(body))
			length := -1
			if test.header {
				length = len(json)
			}
			assert.Equal(t, length, header)
		})
	}
	t.Run("of another form", func(t *testing.T) {
		body, header, err := codec.AppendBinary(nil, &codec.Response{Form: codec.Columns, Outputs: []tensor.Named{numbers}, BinaryOutputs: true})
		require.NoError(t, err)
		assert.JSONEq(t, `{"outputs":{"n":[1,-1]}}`, string(body))
		assert.Equal(t, -1, header)
	})
	t.Run("that is not rows", func(t *testing.T) {
		_, header, err := codec.AppendBinary(nil, &codec.Response{Form: codec.Rows, Rows: 3, Outputs: []tensor.Named{numbers}, BinaryOutputs: true})
		require.ErrorContains(t, err, "not one row for each of the 3 instances")
		assert.Equal(t, -1, header)
	})
}

// FuzzBinary holds for any body and length: what is accepted is the same tensors when they are written again in binary.
func FuzzBinary(f *testing.F) {
	for _, seed := range seeds {
		f.Add(len(seed), []byte(seed))
	}
	head := `{"inputs":[` + binaryInput("town", "BYTES", "[1]", 5) + `,` + binaryInput("age", "INT64", "[1]", 8) + `]}`
	f.Add(len(head), []byte(head+length(1)+"a12345678"))
	f.Add(len(head)-1, []byte(head+length(9)+"a12345678"))
	f.Add(0, []byte("12345678"))
	f.Add(-1, []byte("12345678"))
	f.Fuzz(func(t *testing.T, header int, body []byte) {
		whole := string(body)
		shaped := []tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(-1, 2)}}
		for _, specs := range [][]tensor.Spec{one, two, texts, shaped, nil} {
			body := shifted(body, 1+header&3) // the length says where it ends to the byte
			r, err := codec.DecodeBinary(body, header, codec.Signature{Inputs: specs})
			if err != nil {
				require.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
				require.Less(t, len(err.Error()), 1000)
				require.True(t, utf8.ValidString(err.Error()))
				continue
			}
			again, length := writtenAgain(t, r)
			require.True(t, json.Valid(again[:length]))
			read, err := codec.DecodeBinary(again, length, codec.Signature{Inputs: specs})
			require.NoError(t, err)
			secondly, _ := writtenAgain(t, read)
			require.Equal(t, string(again), string(secondly))
			require.Equal(t, whole, string(body), "the body must stay as it is")
		}
	})
}

// writtenAgain is a request with the inputs of r in binary.
func writtenAgain(t *testing.T, r *codec.Request) (body []byte, header int) {
	t.Helper()
	for _, in := range r.Inputs {
		whole := in.Value.(*tensor.Tensor)
		count, err := tensor.Count(whole.Shape)
		require.NoError(t, err)
		require.Equal(t, int(count), elementsOf(whole))
	}
	return codec.AppendBinaryRequest(nil, &codec.Request{Form: codec.OIP, Inputs: r.Inputs})
}
