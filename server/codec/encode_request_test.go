package codec_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

func TestRequestIsReadAndWritten(t *testing.T) {
	for datatype, data := range map[string]string{
		"BOOL": "[true,false]", "BYTES": `["größe",{"b64":"/wA="}]`,
		"INT8": "[-128,127]", "INT16": "[-32768,32767]", "INT32": "[-2147483648,1]", "INT64": "[-9223372036854775808,9007199254740993]",
		"UINT8": "[0,255]", "UINT16": "[0,65535]", "UINT32": "[0,4294967295]", "UINT64": "[0,18446744073709551615]",
		"FP16": "[1.5,-65500]", "BF16": "[1.5,-2]", "FP32": `[0.1234567,"NaN"]`, "FP64": "[0.1,-1e+300]",
	} {
		t.Run(datatype, func(t *testing.T) {
			body := fmt.Sprintf(`{"id":"7","parameters":{"a":true,"b":"c","d":1.5,"timeout":5},"inputs":[{"name":"x","datatype":%q,"shape":[2],"data":%s}],"outputs":[{"name":"y"},{"name":"z","parameters":{"binary_data":false}}]}`, datatype, data)
			r, err := codec.DecodeRequest([]byte(body))
			require.NoError(t, err)
			assert.Equal(t, body, string(codec.AppendRequest(nil, r)))
		})
	}
	body := `{"inputs":[{"name":"x","datatype":"INT8","shape":[],"data":[1]},{"name":"y","datatype":"FP32","shape":[0,2],"data":[]}]}`
	r, err := codec.DecodeRequest([]byte(body))
	require.NoError(t, err)
	assert.Equal(t, "before"+body, string(codec.AppendRequest([]byte("before"), r)))
}

func TestBinaryRequestIsReadAndWritten(t *testing.T) {
	given := &codec.Request{
		Form: codec.OIP, ID: "7", Parameters: map[string]any{"binary_data_output": true}, BinaryOutputs: true,
		Inputs: []tensor.Named{want(t, "town", dims(2), "a", "Köln"), want[int64](t, "age", dims(1), 3), want(t, "x", dims(), float32(math.Inf(1))), want[tensor.BFloat16](t, "b", dims(0, 2))},
	}
	body, header := codec.AppendBinaryRequest([]byte("before"), given)
	got, err := codec.DecodeBinary(body[len("before"):], header, codec.Signature{})
	require.NoError(t, err)
	assert.Equal(t, given, got)
}

func TestDecodeRequestRefuses(t *testing.T) {
	input := func(datatype, shape, data string) string {
		return fmt.Sprintf(`{"inputs":[{"name":"x","datatype":%q,"shape":%s,"data":%s}]}`, datatype, shape, data)
	}
	for body, want := range map[string]string{
		input("FP32", "[1]", `["x"]`):                                   "inputs[0].data[0]: got a string, expected a number (FP32)",
		input("FP16", "[1]", `["nan"]`):                                 "inputs[0].data[0]: got a string",
		input("BF16", "[1]", `[true]`):                                  "inputs[0].data[0]: got true, expected a number (BF16)",
		input("FP64", "[1]", `[NaN]`):                                   "which JSON does not have",
		input("INT8", "[1]", "[128]"):                                   "does not fit INT8",
		input("UINT8", "[1]", "[-1]"):                                   "does not fit UINT8",
		input("INT8", "[1]", `["NaN"]`):                                 "got a string, expected a whole number (INT8)",
		input("FP32", "[1]", `[1],"parameters":{"content_type":"np"}`):  "inputs[0].parameters: an input is sent without parameters",
		input("FP32", "[1]", `[1],"parameters":{"binary_data_size":4}`): "contradict",
		`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`: "without parameters",
	} {
		_, err := codec.DecodeRequest([]byte(body))
		require.ErrorContains(t, err, want, body)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
}
