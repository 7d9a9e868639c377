package codec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// An input that has a default may be left out, in the rows in each of them or in none.
func TestOptionalInputs(t *testing.T) {
	scale := spec("scale", tensor.FP32)
	scale.Optional = true
	specs := []tensor.Spec{spec("x", tensor.FP32), scale}
	x, given := want[float32](t, "x", dims(2), 1, 2), want[float32](t, "scale", dims(2), 3, 3)
	for body, inputs := range map[string][]tensor.Named{
		`{"instances":[1,2]}`:                                                  {x},
		`{"instances":[{"x":1},{"x":2}]}`:                                      {x},
		`{"instances":[{"scale":3,"x":1},{"x":2,"scale":3}]}`:                  {x, given},
		`{"inputs":[1,2]}`:                                                     {x},
		`{"inputs":{"x":[1,2]}}`:                                               {x},
		`{"instances":[{"x":1,"scale":null},{"x":2}]}`:                         {x},
		`{"inputs":{"scale":null,"x":[1,2]}}`:                                  {x},
		`{"inputs":{"scale":[3,3],"x":[1,2]}}`:                                 {x, given},
		`{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}`: {x},
	} {
		got, err := codec.Decode([]byte(body), codec.Signature{Inputs: specs})
		require.NoError(t, err, body)
		assert.Equal(t, inputs, got.Inputs, body)
	}
	for body, part := range map[string]string{
		`{"instances":[{"x":1,"scale":3},{"x":2}]}`:              `instances[1]: missing input "scale"`,
		`{"instances":[{"x":1},{"x":2,"scale":3}]}`:              `instances[1]: input "scale" is not in the rows before`,
		`{"instances":[{"x":1,"scale":null},{"x":2,"scale":3}]}`: `instances[1]: input "scale" is not in the rows before`,
		`{"instances":[{"x":1,"scale":3},{"x":2,"scale":null}]}`: `instances[1].scale: got null`,
		`{"instances":[{"x":1,"scale":null,"scale":3}]}`:         `instances[0]: duplicate input "scale"`,
		`{"instances":[{"x":null,"scale":3}]}`:                   `instances[0].x: got null`,
		`{"instances":[{"scale":3}]}`:                            `instances[0]: missing input "x"`,
		`{"inputs":{"scale":[3]}}`:                               `inputs: missing input "x"`,
	} {
		refuse(t, codec.Decode, body, specs, part)
	}
	got, err := codec.DecodeBinary([]byte("\x00\x00\x80\x3f"), 0, codec.Signature{Inputs: []tensor.Spec{{Name: "x", DType: tensor.FP32, Shape: dims(1)}, scale}})
	require.NoError(t, err)
	assert.Equal(t, []tensor.Named{want[float32](t, "x", dims(1), 1)}, got.Inputs)

	inputs, err := codec.DecodeMetadata([]byte(`{"inputs":[{"name":"x","datatype":"FP32","shape":[-1]},{"name":"scale","datatype":"FP32","shape":[1]}],
		"properties":{"optional_inputs":"[\"scale\"]","other":{}}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"x"}, tensor.Names(inputs))
}
