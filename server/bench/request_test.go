package bench_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bench"
	"slipway/server/tensor"
)

func TestQuestionIsReadAndWritten(t *testing.T) {
	for datatype, data := range map[string]string{
		"BOOL": "[true,false]", "BYTES": `["","größe"]`,
		"INT8": "[-128,127]", "INT16": "[-32768,32767]", "INT32": "[-2147483648,1]", "INT64": "[-9223372036854775808,9007199254740993]",
		"UINT8": "[0,255]", "UINT16": "[0,65535]", "UINT32": "[0,4294967295]", "UINT64": "[0,18446744073709551615]",
		"FP16": "[1.5,-65504]", "BF16": "[1.5,-2]", "FP32": "[0.1234567,-2]", "FP64": "[0.1,-1e+300]",
	} {
		t.Run(datatype, func(t *testing.T) {
			body := fmt.Sprintf(`{"id":"7","parameters":{"timeout":5},"inputs":[{"name":"x","datatype":%q,"shape":[2],"data":%s}],"outputs":[{"name":"y"}]}`, datatype, data)
			q, err := bench.ReadQuestion([]byte(body))
			require.NoError(t, err)
			again, err := q.JSON()
			require.NoError(t, err)
			assert.JSONEq(t, body, string(again))
			assert.Contains(t, string(again), data, "its very digits")
		})
	}
}

func TestQuestionsThatAreNone(t *testing.T) {
	input := func(datatype, shape, data string) string {
		return fmt.Sprintf(`{"inputs":[{"name":"x","datatype":%q,"shape":%s,"data":%s}]}`, datatype, shape, data)
	}
	for body, want := range map[string]string{
		``:                             "EOF",
		`{}`:                           "no inputs",
		`{"inputs":[]} {}`:             "follows",
		`{"instances":[1]}`:            "instances",
		input("FLOAT", "[1]", "[1]"):   `datatype "FLOAT"`,
		input("FP32", "[2]", "[1]"):    "1 elements, shape [2] has 2",
		input("FP32", "[-1]", "[1]"):   "negative",
		input("FP32", "[1]", `["x"]`):  "data[0]: got x, expected a number",
		input("FP32", "[1]", "[true]"): "data[0]: got true, expected a number",
		input("INT8", "[1]", "[128]"):  "an integer of 8 bits",
		input("UINT8", "[1]", "[-1]"):  "an unsigned integer of 8 bits",
		input("BOOL", "[1]", "[1]"):    "expected true or false",
		input("BYTES", "[1]", "[1]"):   "expected a string",
		input("FP32", "[1]", `[1],"parameters":{"binary_data_size":4}`): "parameters",
	} {
		_, err := bench.ReadQuestion([]byte(body))
		assert.ErrorContains(t, err, want, body)
	}
}

func TestSyntheticQuestion(t *testing.T) {
	specs := []tensor.Spec{
		{Name: "x", DType: tensor.FP32, Shape: []int64{-1, 3, -1}}, {Name: "ids", DType: tensor.Int64, Shape: []int64{-1, 4}},
		{Name: "rate", DType: tensor.Int64, Shape: []int64{}}, {Name: "text", DType: tensor.Bytes, Shape: []int64{-1}},
	}
	s := bench.Synthetic{Shapes: map[string][]int64{"x": {1, 3, 8}}, Batch: 2, Seed: 5}
	q, err := s.Question(specs)
	require.NoError(t, err)
	shapes := map[string][]int64{}
	for _, in := range q.Inputs {
		shapes[in.Name] = in.Value.(*tensor.Tensor).Shape
	}
	assert.Equal(t, map[string][]int64{"x": {1, 3, 8}, "ids": {2, 4}, "rate": {}, "text": {2}}, shapes)
	for _, x := range q.Inputs[0].Value.(*tensor.Tensor).Data.([]float32) {
		assert.True(t, x >= 0 && x < 1, x)
	}
	again, err := s.Question(specs)
	require.NoError(t, err)
	assert.Equal(t, q, again)
	s.Seed = 6
	other, err := s.Question(specs)
	require.NoError(t, err)
	assert.NotEqual(t, q, other)

	s.Zeros = true
	zeros, err := s.Question(specs)
	require.NoError(t, err)
	assert.Equal(t, []int64{0, 0, 0, 0, 0, 0, 0, 0}, zeros.Inputs[1].Value.(*tensor.Tensor).Data)

	s.Shapes = map[string][]int64{"x": {1, 3}}
	_, err = s.Question(specs)
	assert.ErrorContains(t, err, `input "x": shape [1,3] is not of rank 3`)
	s.Shapes = map[string][]int64{"y": {1}}
	_, err = s.Question(specs)
	assert.ErrorContains(t, err, `no input "y" to give a shape to, only x, ids, rate, text`)
}

func FuzzReadQuestion(f *testing.F) {
	f.Add([]byte(question))
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"FP16","shape":[],"data":"NaN"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := bench.ReadQuestion(body)
		if err != nil {
			return
		}
		for _, in := range q.Inputs {
			_, err := tensor.Count(in.Value.(*tensor.Tensor).Shape)
			assert.NoError(t, err)
		}
		if again, err := q.JSON(); err == nil { // a NaN can be read, and not written
			assert.True(t, json.Valid(again))
		}
	})
}

func FuzzReadHTTP(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.0 429 \r\nconnection: close\r\n\r\nbusy"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		code, _, body, err := bench.ReadHTTP(answer)
		if err == nil {
			assert.True(t, code >= 200 && code <= 999, code)
			assert.LessOrEqual(t, len(body), len(answer))
		}
	})
}

func FuzzReadExpected(f *testing.F) {
	f.Add([]byte(right))
	f.Add([]byte(`{"outputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e, err := bench.ReadExpected(body); err == nil {
			assert.NotNil(t, e)
		}
	})
}
