package serving_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

const no = tensor.NoRows

func at(axis int) tensor.RowAxis { return tensor.RowsAt(axis) }

// Where the rows of each model are is learned at load, with batching or without, in a
// trial or not.
func TestRowsAreLearned(t *testing.T) {
	for model, want := range map[string]struct{ inputs, outputs []tensor.RowAxis }{
		"constant_1":      {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"add_sub":         {[]tensor.RowAxis{at(0), at(0)}, []tensor.RowAxis{at(0), at(0)}},
		"names":           {[]tensor.RowAxis{at(0), at(0)}, []tensor.RowAxis{at(0), at(0)}},
		"identity_bytes":  {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"identity_fp16":   {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"gather":          {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"zipmap":          {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0), at(0)}},
		"static_batch":    {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{0}},
		"scalar_fp32":     {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"empty":           {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{no}},
		"sequence":        {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{no}},
		"fill":            {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{no}},
		"targets":         {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(1)}},
		"target_sequence": {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(1)}},
		"recognizer":      {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(1)}},
		"recurrent":       {[]tensor.RowAxis{at(1), at(1)}, []tensor.RowAxis{at(1), at(1)}},
		"recurrent_named": {[]tensor.RowAxis{at(1), at(1)}, []tensor.RowAxis{at(1), at(1)}},
		"threshold":       {[]tensor.RowAxis{at(0), no}, []tensor.RowAxis{0}},
		"offset":          {[]tensor.RowAxis{at(0), no}, []tensor.RowAxis{at(0)}},
		"labelled":        {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0), no}},
		"one_label":       {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"shares":          {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"fixed_rows":      {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
		"fixed_columns":   {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{no}},
		"no_inputs":       {nil, []tensor.RowAxis{no}},
		"tokens":          {[]tensor.RowAxis{at(0), at(0)}, []tensor.RowAxis{at(0)}},
		"quantized":       {[]tensor.RowAxis{at(0)}, []tensor.RowAxis{at(0)}},
	} {
		t.Run(model, func(t *testing.T) {
			c, _ := load(t, map[string]string{"m/1/model.onnx": model}, "")
			v, err := c.Choose("m", "")
			require.NoError(t, err)
			assert.Equal(t, want.inputs, axesOf(v.Inputs), "inputs")
			assert.Equal(t, want.outputs, axesOf(v.Outputs), "outputs")
		})
	}
}

func axesOf(specs []tensor.Spec) (axes []tensor.RowAxis) {
	for _, s := range specs {
		axes = append(axes, s.Rows)
	}
	return axes
}
