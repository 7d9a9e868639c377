package api_test

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// declaration is a config.pbtxt with inputs that have a default, and batching.
const declaration = `max_batch_size: 8
dynamic_batching { max_queue_delay_microseconds: 1000 }
input [
  { name: "x" data_type: TYPE_FP32 dims: [ 1 ] },
  { name: "scale" data_type: TYPE_FP32 dims: [ 1 ] optional: true }
]
`

// golden has a request that gives such an input, and one that does not.
const golden = `{"request":{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[2]}]},"response":{"outputs":[{"name":"y","shape":[1,1],"datatype":"FP32","data":[20]}]}}
{"request":{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[2]},{"name":"scale","shape":[1],"datatype":"FP32","data":[3]}]},"response":{"outputs":[{"name":"y","shape":[1,1],"datatype":"FP32","data":[6]}]}}
`

// An input that has an initializer is an optional one: it is described, may be given in every form, and has its
// default where it is left out, also while other requests give it.
func TestOptionalInputs(t *testing.T) {
	folder := onnxtest.Repository(t, map[string]string{"plain/1/model.onnx": "scaled", "declared/1/model.onnx": "scaled", "wrong/1/model.onnx": "constant_1"})
	for path, text := range map[string]string{
		"declared/config.pbtxt": declaration, "declared/1/golden.ndjson": golden,
		"plain/config.yaml":  "warmUp: [{inputs: {x: {dims: [2, 1]}, scale: {dims: [1], random: true}}}]\n",
		"wrong/config.pbtxt": `input { name: "x" data_type: TYPE_FP32 dims: [ -1, 1 ] optional: true }`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, path), []byte(text), 0o600))
	}
	f := start(t, folder, nil)
	index := f.api.Index(false)
	assert.Contains(t, index[2].Reason, `input "x": optional: the model has no default for it`)
	for _, model := range []string{"plain", "declared"} {
		metadata := f.get(t, "/v2/models/"+model)
		assert.Contains(t, metadata, `{"name":"scale","datatype":"FP32","shape":[1]}`)
		assert.Contains(t, metadata, `"properties":{"optional_inputs":"[\"scale\",\"shift\"]"}`)
		assert.Contains(t, f.get(t, "/v2/models/"+model+"/config"), `{"name":"scale","data_type":"TYPE_FP32","dims":[1],"optional":true}`)
		for body, want := range map[string]string{
			`{"instances":[[1],[2]]}`:                `{"predictions":[[10],[20]]}`,
			`{"instances":[{"x":[1],"scale":3}]}`:    `{"predictions":[[3]]}`,
			`{"inputs":{"x":[[1],[2]],"scale":[3]}}`: `{"outputs":{"y":[[3],[6]]}}`,
			`{"inputs":{"x":[[1],[2]],"shift":[1]}}`: `{"outputs":{"y":[[11],[21]]}}`,
			`{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[2]},{"name":"scale","shape":[1],"datatype":"FP32","data":[3]}]}`: `{"model_name":"` + model + `","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[6]}]}`,
		} {
			code, got := f.request(t, f.rest, http.MethodPost, "/predict/"+model, body)
			assert.Equal(t, http.StatusOK, code, "%s: %s", body, got)
			assert.JSONEq(t, want, got, body)
		}
		code, got := f.request(t, f.rest, http.MethodPost, "/predict/"+model, `{"instances":[{"x":[1],"scale":3},{"x":[2],"scale":3}]}`)
		assert.Equal(t, http.StatusBadRequest, code, "it is for the whole run")
		assert.Contains(t, got, `input \"scale\" has no axis for rows`)
	}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			r := &oip.ModelInferRequest{ModelName: "declared", Inputs: []*oip.ModelInferRequest_InferInputTensor{
				{Name: "x", Datatype: "FP32", Shape: []int64{1, 1}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{float32(i)}}},
			}}
			scale := float32(10)
			if i%2 == 0 {
				scale = float32(i)
				r.Inputs = append(r.Inputs, &oip.ModelInferRequest_InferInputTensor{
					Name: "scale", Datatype: "FP32", Shape: []int64{1}, Contents: &oip.InferTensorContents{Fp32Contents: []float32{scale}},
				})
			}
			response, err := f.client().ModelInfer(t.Context(), r)
			if assert.NoError(t, err) {
				assert.Equal(t, []float32{scale * float32(i)}, response.GetOutputs()[0].GetContents().GetFp32Contents())
			}
		})
	}
	all.Wait()
	v, err := f.api.Catalog.Choose("declared", "")
	require.NoError(t, err)
	assert.Empty(t, v.BatchingRefused())
	assert.Equal(t, 8, v.MaxBatchSize)
}
