package serving_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// A recurrent network of no steps or rows ends the process. Its trial finds that out, in
// a process of its own, and such requests are refused; others get an empty response.
func TestInputsWithoutElements(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"gru/1/model.onnx": "recurrent", "lstm/1/model.onnx": "quantized", "plain/1/model.onnx": "identity_fp32"})
	c, log := newCatalog(t, folder, serving.Options{Trials: trials(t, trial.Options{})})
	require.NoError(t, c.LoadAll(t.Context()))
	require.NoError(t, c.Failures())
	empty := func(name string, d tensor.DType, shape ...int64) tensor.Named {
		return tensor.Named{Name: name, Value: &tensor.Tensor{DType: d, Shape: shape, Data: tensor.Make(d, 0)}}
	}
	state := tensor.Named{Name: "h0", Value: &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1, 1, 3}, Data: make([]float32, 3)}}
	for _, test := range []struct {
		model, refused string
		inputs         []tensor.Named
	}{
		{"gru", `input "x": the shape [0,1,2] has no elements; ONNX Runtime crashes`, []tensor.Named{empty("x", tensor.FP32, 0, 1, 2), state}},
		{"gru", `input "x": the shape [3,0,2]`, []tensor.Named{empty("x", tensor.FP32, 3, 0, 2), empty("h0", tensor.FP32, 1, 0, 3)}},
		{"lstm", `input "ids": the shape [0,3]`, []tensor.Named{empty("ids", tensor.Int64, 0, 3)}},
		{"plain", "", []tensor.Named{empty("x", tensor.FP32, 0, 3)}},
	} {
		v, err := c.Choose(test.model, "")
		require.NoError(t, err)
		_, err = v.Infer(t.Context(), serving.Request{Inputs: test.inputs})
		if test.refused == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, test.refused)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
	assert.Contains(t, log.String(), `"msg":"trial died after it had passed","model":"gru","version":"1","reason":"the trial ended by SIGABRT, running on inputs without elements`)
}
