package serving_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/serving"
	"slipway/server/trial"
)

// What a warm-up says about inputs is held against the model, and a warm-up that fails
// keeps the version from being served: who asked for it relies on it.
func TestAWarmUpThatCannotBeRunIsAFailure(t *testing.T) {
	triton := func(name, dtype, dims string) string {
		return `max_batch_size: 4 model_warmup [{ name: "w" batch_size: 2 inputs { key: "` + name + `" value { data_type: ` + dtype + ` dims: [` + dims + `] zero_data: true } } }]`
	}
	for name, test := range map[string]struct{ file, settings, failure string }{
		"right":                {"config.yaml", "warmUp: [{name: w, batchSize: 2, inputs: {ids: {datatype: INT64, dims: [5]}, mask: {dims: [5], random: true}}}]", ""},
		"with the batch":       {"config.yaml", "warmUp: [{inputs: {ids: {dims: [2, 5]}, mask: {dims: [2, 5]}}}]", ""},
		"pbtxt":                {"config.pbtxt", triton("ids", "TYPE_INT64", "1"), ""},
		"no such input":        {"config.yaml", "warmUp: [{inputs: {idz: {dims: [5]}}}]", `warmUp[0].inputs.idz: the model has no input of that name; it has "ids", "mask"`},
		"another type":         {"config.yaml", "warmUp: [{inputs: {ids: {datatype: FP32, dims: [5]}}}]", "warmUp[0].inputs.ids: the datatype is FP32, the model's is INT64"},
		"another rank":         {"config.yaml", "warmUp: [{}, {inputs: {ids: {dims: [2, 5, 1]}}}]", "warmUp[1].inputs.ids: dims make the shape [2,5,1], the model's is [-1,-1]"},
		"both wrong":           {"config.yaml", "warmUp: [{inputs: {a: {dims: [1]}, b: {dims: [1]}}}]", "warmUp[0].inputs.b: the model has no input"},
		"pbtxt, no such input": {"config.pbtxt", triton("idz", "TYPE_INT64", "5"), "warmUp[0].inputs.idz: the model has no input"},
		"pbtxt, another type":  {"config.pbtxt", triton("ids", "TYPE_FP16", "5"), "the datatype is FP16"},
		"refused by the model": {"config.yaml", "warmUp: [{name: long, inputs: {ids: {dims: [30]}, mask: {dims: [30]}}}]", `warmUp[0] "long": Non-zero status code`},
		"of two lengths":       {"config.yaml", "warmUp: [{name: uneven, inputs: {ids: {dims: [5]}, mask: {dims: [6]}}}]", `warmUp[0] "uneven": Non-zero status code`},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			install(t, folder, map[string]string{"m/1/model.onnx": "tokens", "m/" + test.file: test.settings})
			for _, o := range []serving.Options{{}, {Trials: trials(t, trial.Options{})}} {
				c, _ := newCatalog(t, folder, o)
				require.NoError(t, c.LoadAll(t.Context()))
				if test.failure == "" {
					require.NoError(t, c.Failures())
					continue
				}
				require.ErrorContains(t, c.Failures(), test.failure)
				_, err := c.Choose("m", "")
				assert.Error(t, err)
			}
		})
	}
}

func TestAWarmUpOfAFixedShape(t *testing.T) {
	for dims, failure := range map[string]string{"[1, 4]": "", "[4]": "", "[2, 4]": "dims make the shape [2,4], the model's is [1,4]", "[3]": "dims make the shape [1,3]"} {
		folder := t.TempDir()
		install(t, folder, map[string]string{"m/1/model.onnx": "static_batch", "m/config.yaml": "warmUp: [{inputs: {x: {dims: " + dims + "}}}]"})
		c, _ := newCatalog(t, folder, serving.Options{})
		require.NoError(t, c.LoadAll(t.Context()))
		if failure == "" {
			require.NoError(t, c.Failures(), dims)
		} else {
			require.ErrorContains(t, c.Failures(), failure)
		}
	}
}
