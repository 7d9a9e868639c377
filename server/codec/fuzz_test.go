package codec_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

var seeds = []string{
	`{"instances":[[1,2],[3,4]],"signature_name":""}`,
	`{"instances":[{"x":[1e-7]},{"x":[-0.5]}]}`,
	`{"instances":[{"age":1,"town":"a\ud83d\ude00"}]}`,
	`{"inputs":{"age":[[1.0],[2e1]],"town":["\u00e9",""]}}`,
	`{"inputs":[[[0.1,16777217]],[[1e39,01]]]}`,
	`{"inputs":7}`,
	`{"id":"1","parameters":{"a":1,"b":"c","d":true,"e":1.5},"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"y"}]}`,
	`{"inputs":[{"data":[[1],[2]],"name":"x","parameters":{"content_type":"np"},"datatype":"FP32","shape":[2,1]}]}`,
	`{"inputs":[{"name":"age","shape":[0,2],"datatype":"INT64","data":[]},{"name":"town","shape":[1],"datatype":"BYTES","data":["x"]}]}`,
	`{"instances":[NaN,-Infinity,null]}`,
}

// fuzz decodes any body: what is accepted is JSON for encoding/json too, and a tensor has as many
// elements as its shape.
func fuzz(f *testing.F, decode func([]byte, codec.Signature) (*codec.Request, error)) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, specs := range [][]tensor.Spec{one, two, texts, nil} {
			r, err := decode(body, codec.Signature{Inputs: specs})
			if err != nil {
				assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
				assert.Less(t, len(err.Error()), 1000)
				assert.True(t, utf8.ValidString(err.Error()))
				continue
			}
			require.True(t, json.Valid(body), "accepted what is not JSON")
			for _, in := range r.Inputs {
				got := in.Value.(*tensor.Tensor)
				n, err := tensor.Count(got.Shape)
				require.NoError(t, err)
				plain, err := json.Marshal(got.Data)
				require.NoError(t, err)
				if got.DType == tensor.Uint8 {
					continue // encoding/json writes base64
				}
				var elements []json.RawMessage
				require.NoError(t, json.Unmarshal(plain, &elements))
				require.Len(t, elements, int(n))
			}
		}
	})
}

func FuzzDecode(f *testing.F)    { fuzz(f, codec.Decode) }
func FuzzDecodeV1(f *testing.F)  { fuzz(f, codec.DecodeV1) }
func FuzzDecodeOIP(f *testing.F) { fuzz(f, codec.DecodeOIP) }

// FuzzElements compares single elements of every type with encoding/json: both refuse, or both
// give the same.
func FuzzElements(f *testing.F) {
	for _, s := range []string{"1", "-0", "1e3", "1.5", "01", "+1", "18446744073709551615", "1e400", "0.1e-45", "true", "null", `"a"`, `"\ud800"`, "NaN", " 7 ", "[1]", "1.e1",
		"16777217.000000000000000000001", "123456789012345678901234567890e-20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "[]{}") {
			return
		}
		compareElement[float32](t, text)
		compareElement[float64](t, text)
		compareElement[int8](t, text)
		compareElement[int64](t, text)
		compareElement[uint16](t, text)
		compareElement[uint64](t, text)
		compareElement[bool](t, text)
		if !strings.Contains(text, `\`) && utf8.ValidString(text) { // ours is stricter with surrogates and bad bytes
			compareElement[string](t, text)
		}
	})
}

func compareElement[T tensor.Element](t *testing.T, text string) {
	d := tensor.DTypeOf[T]()
	got, err := decodeOne(d, text)
	var plain *T
	plainErr := json.Unmarshal([]byte(text), &plain)
	if plainErr == nil && plain == nil {
		require.Error(t, err, "null")
		return
	}
	if plainErr != nil && err == nil {
		// encoding/json refuses 1.0 and 1e3 as integers. Ours are whole numbers and equal.
		require.True(t, json.Valid([]byte(text)), "%s %q", d, text)
		require.Contains(t, []tensor.DType{tensor.Int8, tensor.Int64, tensor.Uint16, tensor.Uint64}, d, text)
		require.True(t, strings.ContainsAny(text, ".eE-"), "%s %q", d, text)
		f, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
		require.InEpsilon(t, 1+math.Abs(f), 1+math.Abs(floatOf(got)), 1e-9)
		return
	}
	require.Equal(t, plainErr == nil, err == nil, "%s %q: encoding/json %v, ours %v", d, text, plainErr, err)
	if err == nil {
		require.Equal(t, []T{*plain}, got, "%s %q", d, text)
	}
}

func floatOf(v any) float64 {
	switch v := v.(type) {
	case []int8:
		return float64(v[0])
	case []int64:
		return float64(v[0])
	case []uint16:
		return float64(v[0])
	case []uint64:
		return float64(v[0])
	}
	return math.NaN()
}

// FuzzLongArrays compares arrays that are read many numbers at a time with what encoding/json reads.
func FuzzLongArrays(f *testing.F) {
	for _, s := range mixed {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "[]{}") || strings.Contains(text, "null") {
			return
		}
		compareLongArrays(t, text)
	})
}

// FuzzStrings has encoding/json read what is written for any string, or for bytes that are none.
func FuzzStrings(f *testing.F) {
	f.Add("a<\u2028\"\\\x00é")
	f.Add("\xff\xd8\xff\xe0 jpeg")
	f.Fuzz(func(t *testing.T, s string) {
		r := &codec.Response{Form: codec.Rows, Rows: 1, Outputs: []tensor.Named{want(t, "s", dims(1), s)}}
		text := encode(t, r)
		require.LessOrEqual(t, int64(len(text)), codec.Bound(r))
		text = text[len(`{"predictions":`) : len(text)-1]
		if utf8.ValidString(s) {
			var got []string
			require.NoError(t, json.Unmarshal([]byte(text), &got))
			require.Equal(t, []string{s}, got)
		} else {
			var got []struct{ B64 []byte }
			require.NoError(t, json.Unmarshal([]byte(text), &got))
			require.Equal(t, s, string(got[0].B64))
		}
		read, err := codec.DecodeV1([]byte(`{"instances":`+text+`}`), codec.Signature{Inputs: texts})
		require.NoError(t, err)
		require.Equal(t, []string{s}, read.Inputs[0].Value.(*tensor.Tensor).Data)
	})
}
