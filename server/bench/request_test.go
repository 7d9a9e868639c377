package bench_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bench"
	"slipway/server/codec"
	"slipway/server/tensor"
)

func TestReadRequest(t *testing.T) {
	for body, want := range map[string]string{
		``:                          "the end of the body",
		`{}`:                        `expected one of the keys "inputs"`,
		`{"inputs":[]}`:             "no inputs",
		`{"inputs":[]} {}`:          "follows",
		`{"instances":[1]}`:         "instances",
		`{"inputs":[{"name":"x"}]}`: `inputs[0]: missing key "shape"`,
	} {
		_, err := bench.ReadRequest([]byte(body))
		require.ErrorContains(t, err, "read the request: ", body)
		assert.ErrorContains(t, err, want, body)
	}
	r, err := bench.ReadRequest([]byte(request))
	require.NoError(t, err)
	assert.Len(t, r.Inputs, 2)
}

func TestSyntheticRequest(t *testing.T) {
	specs := []tensor.Spec{
		{Name: "x", DType: tensor.FP32, Shape: []int64{-1, 3, -1}}, {Name: "ids", DType: tensor.Int64, Shape: []int64{-1, 4}},
		{Name: "rate", DType: tensor.Int64, Shape: []int64{}}, {Name: "text", DType: tensor.Bytes, Shape: []int64{-1}},
	}
	s := bench.Synthetic{Shapes: map[string][]int64{"x": {1, 3, 8}}, Batch: 2, Seed: 5}
	r, err := s.Request(specs)
	require.NoError(t, err)
	shapes := map[string][]int64{}
	for _, in := range r.Inputs {
		shapes[in.Name] = in.Value.(*tensor.Tensor).Shape
	}
	assert.Equal(t, map[string][]int64{"x": {1, 3, 8}, "ids": {2, 4}, "rate": {}, "text": {2}}, shapes)
	for _, x := range r.Inputs[0].Value.(*tensor.Tensor).Data.([]float32) {
		assert.True(t, x >= 0 && x < 1, x)
	}
	again, err := s.Request(specs)
	require.NoError(t, err)
	assert.Equal(t, r, again)
	s.Seed = 6
	other, err := s.Request(specs)
	require.NoError(t, err)
	assert.NotEqual(t, r, other)

	s.Zeros = true
	zeros, err := s.Request(specs)
	require.NoError(t, err)
	assert.Equal(t, []int64{0, 0, 0, 0, 0, 0, 0, 0}, zeros.Inputs[1].Value.(*tensor.Tensor).Data)

	s.Shapes = map[string][]int64{"x": {1, 3}}
	_, err = s.Request(specs)
	assert.ErrorContains(t, err, `input "x": shape [1,3] is not of rank 3`)
	s.Shapes = map[string][]int64{"y": {1}}
	_, err = s.Request(specs)
	assert.ErrorContains(t, err, `no input "y" to give a shape to, only "x", "ids", "rate", "text"`)
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"FP16","shape":[],"data":"NaN"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := bench.ReadRequest(body)
		if err != nil {
			return
		}
		for _, in := range r.Inputs {
			_, err := tensor.Count(in.Value.(*tensor.Tensor).Shape)
			assert.NoError(t, err)
		}
		assert.True(t, json.Valid(codec.AppendRequest(nil, r)))
	})
}

func FuzzReadHTTP(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.0 429 \r\nconnection: close\r\n\r\nbusy"))
	f.Fuzz(func(t *testing.T, response []byte) {
		code, _, body, err := bench.ReadHTTP(response)
		if err == nil {
			assert.True(t, code >= 200 && code <= 999, code)
			assert.LessOrEqual(t, len(body), len(response))
		}
	})
}

func FuzzReadExpected(f *testing.F) {
	f.Add([]byte(right))
	f.Add([]byte(`{"outputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if expected, err := bench.ReadExpected(body); err == nil {
			assert.NotEmpty(t, expected)
		}
	})
}
