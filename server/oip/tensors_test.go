package oip_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/oip"
	"slipway/server/tensor"
)

func TestContentsOfEveryType(t *testing.T) {
	for _, test := range []struct {
		dtype tensor.DType
		data  any
		field string
		want  *oip.InferTensorContents
	}{
		{tensor.Bool, []bool{true, false}, "bool_contents", &oip.InferTensorContents{BoolContents: []bool{true, false}}},
		{tensor.Int8, []int8{-128, 127}, "int_contents", &oip.InferTensorContents{IntContents: []int32{-128, 127}}},
		{tensor.Int16, []int16{-32768, 1}, "int_contents", &oip.InferTensorContents{IntContents: []int32{-32768, 1}}},
		{tensor.Int32, []int32{-1, 2}, "int_contents", &oip.InferTensorContents{IntContents: []int32{-1, 2}}},
		{tensor.Int64, []int64{1 << 62, 2}, "int64_contents", &oip.InferTensorContents{Int64Contents: []int64{1 << 62, 2}}},
		{tensor.Uint8, []uint8{0, 255}, "uint_contents", &oip.InferTensorContents{UintContents: []uint32{0, 255}}},
		{tensor.Uint16, []uint16{0, 65535}, "uint_contents", &oip.InferTensorContents{UintContents: []uint32{0, 65535}}},
		{tensor.Uint32, []uint32{0, 1 << 31}, "uint_contents", &oip.InferTensorContents{UintContents: []uint32{0, 1 << 31}}},
		{tensor.Uint64, []uint64{0, 1 << 63}, "uint64_contents", &oip.InferTensorContents{Uint64Contents: []uint64{0, 1 << 63}}},
		{tensor.FP16, []tensor.Float16{1, 2}, "", nil},
		{tensor.BF16, []tensor.BFloat16{1, 2}, "", nil},
		{tensor.FP32, []float32{1.5, -2}, "fp32_contents", &oip.InferTensorContents{Fp32Contents: []float32{1.5, -2}}},
		{tensor.FP64, []float64{1.5, -2}, "fp64_contents", &oip.InferTensorContents{Fp64Contents: []float64{1.5, -2}}},
		{tensor.Bytes, []string{"", "größe"}, "bytes_contents", &oip.InferTensorContents{BytesContents: [][]byte{nil, []byte("größe")}}},
	} {
		t.Run(test.dtype.String(), func(t *testing.T) {
			given := &tensor.Tensor{DType: test.dtype, Shape: []int64{2}, Data: test.data}
			assert.Equal(t, test.field, oip.FieldOf(test.dtype))
			got := oip.Contents(given)
			if test.field == "" {
				assert.Nil(t, got)
				return
			}
			assert.Equal(t, test.want.String(), got.String())
			assert.Equal(t, test.field, oip.Filled(got, ""))
			assert.Empty(t, oip.Filled(got, test.field))
			again, err := oip.FromContents(test.dtype, []int64{2}, got)
			require.NoError(t, err)
			assert.Equal(t, given, again)
		})
	}
	assert.Empty(t, oip.FieldOf(tensor.Invalid))
	assert.Empty(t, oip.FieldOf(tensor.Bytes+1))
}

func TestContentsThatDoNotFit(t *testing.T) {
	for want, test := range map[string]struct {
		dtype    tensor.DType
		contents *oip.InferTensorContents
	}{
		"fp32_contents: shape [1] has 1 elements, the data has 0":      {tensor.FP32, nil},
		"fp32_contents: shape [1] has 1 elements, the data has 2":      {tensor.FP32, &oip.InferTensorContents{Fp32Contents: []float32{1, 2}}},
		"fp64_contents is given; FP32 is read from fp32_contents":      {tensor.FP32, &oip.InferTensorContents{Fp64Contents: []float64{1}}},
		"int_contents: element 0 is 128, which INT8 cannot hold":       {tensor.Int8, &oip.InferTensorContents{IntContents: []int32{128}}},
		"uint_contents: element 0 is 65536, which UINT16 cannot hold":  {tensor.Uint16, &oip.InferTensorContents{UintContents: []uint32{65536}}},
		"FP16 has no typed contents; send it in raw_input_contents":    {tensor.FP16, &oip.InferTensorContents{}},
		"INVALID has no typed contents; send it in raw_input_contents": {tensor.Invalid, &oip.InferTensorContents{}},
		"bytes_contents is given; BOOL is read from bool_contents":     {tensor.Bool, &oip.InferTensorContents{BytesContents: [][]byte{{1}}}},
		"bool_contents is given; BYTES is read from bytes_contents":    {tensor.Bytes, &oip.InferTensorContents{BoolContents: []bool{true}}},
		"uint64_contents is given; INT64 is read from int64_contents":  {tensor.Int64, &oip.InferTensorContents{Uint64Contents: []uint64{1}}},
		"int64_contents is given; UINT64 is read from uint64_contents": {tensor.Uint64, &oip.InferTensorContents{Int64Contents: []int64{1}}},
		"uint_contents is given; INT32 is read from int_contents":      {tensor.Int32, &oip.InferTensorContents{UintContents: []uint32{1}}},
		"int_contents is given; UINT32 is read from uint_contents":     {tensor.Uint32, &oip.InferTensorContents{IntContents: []int32{1}}},
		"int_contents is given; FP64 is read from fp64_contents":       {tensor.FP64, &oip.InferTensorContents{IntContents: []int32{1}}},
		"int64_contents: shape [1] has 1 elements, the data has 0":     {tensor.Int64, &oip.InferTensorContents{}},
	} {
		_, err := oip.FromContents(test.dtype, []int64{1}, test.contents)
		assert.EqualError(t, err, want)
	}
}
