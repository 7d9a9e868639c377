package serving_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/tensor"
)

func TestBatchingIsVerified(t *testing.T) {
	for model, refused := range map[string]string{
		"constant_1":     "",
		"zipmap":         "",
		"identity_bytes": "",
		"static_batch":   "fixed shape [1,4]",
		"scalar_fp32":    "takes no batch",
		"sequence":       `output "y"`,
		"empty":          `output "y"`,

		"one_label":       "", // although it declares one
		"targets":         "",
		"target_sequence": "",
		"recognizer":      "",
		"recurrent":       "",
		"recurrent_named": "",
		"tokens":          "",
		"labelled":        `output "classes" has no axis for rows`,
		"threshold":       `input "threshold" has the fixed shape []`,
		"offset":          `input "offset" of shape [-1] has no axis for rows`,
		"shares":          "differs from its single run",
		"quantized":       "differs from its single run",
		"no_inputs":       "the model has no inputs",
	} {
		t.Run(model, func(t *testing.T) {
			c, _ := load(t, map[string]string{"m/1/model.onnx": model, "m/config.yaml": "batching: {maxBatchSize: 8}"}, "")
			v, err := c.Choose("m", "")
			require.NoError(t, err, "a model that does not batch is served all the same")
			if refused == "" {
				assert.Empty(t, v.BatchingRefused())
				assert.Equal(t, 8, v.MaxBatchSize)
				return
			}
			assert.Contains(t, v.BatchingRefused(), refused)
			assert.Zero(t, v.MaxBatchSize)
		})
	}
}

func TestStatisticsCountRowsAndRuns(t *testing.T) {
	c, _ := load(t, map[string]string{"m/1/model.onnx": "constant_1", "m/config.yaml": "batching: {maxBatchSize: 8}"}, "")
	const requests = 200
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			_, y, err := one(t.Context(), c, "m")
			assert.NoError(t, err)
			assert.Equal(t, float32(2), y)
		})
	}
	all.Wait()
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	s := v.Statistics()
	assert.EqualValues(t, requests, s.InferenceCount)
	assert.EqualValues(t, requests, s.Success.Count)
	assert.LessOrEqual(t, s.ExecutionCount, uint64(requests))
	rows := 0
	for _, b := range s.Batches {
		rows += b.Size * int(b.ComputeInfer.Count)
	}
	assert.Equal(t, requests, rows)
	assert.False(t, s.LastInference.IsZero())
}

func TestSizeFollowsTheProcessors(t *testing.T) {
	c, _ := load(t, map[string]string{
		"a/1/model.onnx": "constant_1",
		"b/1/model.onnx": "constant_1", "b/config.yaml": "instances: {count: 3, intraOpThreads: 2}",
	}, "")
	a, err := c.Choose("a", "")
	require.NoError(t, err)
	assert.Equal(t, 2, a.Instances)
	b, err := c.Choose("b", "")
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2}, []int{b.Instances, b.IntraOpThreads})
	assert.Contains(t, serving.Options{Processors: 4}.Size(b.Config()).Why, "instances.count")
	assert.Equal(t, 4, serving.Options{Processors: 4}.Size(a.Config()).IntraOpThreads)
}

// Requests whose run fails must not take those that shared it with them.
func TestABadRequestFailsAlone(t *testing.T) {
	c, _ := load(t, map[string]string{
		"m/1/model.onnx": "gather",
		"m/config.yaml":  "batching: {maxBatchSize: 16, maxQueueDelay: 20ms}\ninstances: {count: 1}\nqueue: {maxRequests: 1000}\n",
	}, "")
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	require.Empty(t, v.BatchingRefused())
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			index := int64(i % 4)
			if i%10 == 0 {
				index = 99
			}
			x := &tensor.Tensor{DType: tensor.Int64, Shape: []int64{1}, Data: []int64{index}}
			response, err := v.Infer(t.Context(), serving.Request{Inputs: []tensor.Named{{Name: "index", Value: x}}})
			if index == 99 {
				assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
				return
			}
			if assert.NoError(t, err) {
				assert.Equal(t, []float32{float32(10 * (index + 1))}, response.Outputs[0].Value.(*tensor.Tensor).Data)
			}
		})
	}
	all.Wait()
	assert.Less(t, v.Statistics().ExecutionCount, uint64(180), "nothing was batched")
}

// The model returns the different rows only. Those that verify batching differ; two
// requests with the same row do not.
func TestBatchingIsRefusedWhenARunShowsItIsWrong(t *testing.T) {
	registry, log, folder := prometheus.NewRegistry(), &bytes.Buffer{}, t.TempDir()
	install(t, folder, map[string]string{"m/1/model.onnx": "unique", "m/config.yaml": "batching: {maxBatchSize: 2, maxQueueDelay: 10s}"})
	c := newCatalogOn(t, registry, log, folder, serving.Options{})
	require.NoError(t, c.LoadAll(t.Context()))
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	require.Empty(t, v.BatchingRefused())
	require.Equal(t, 2, v.MaxBatchSize)

	infer := func() {
		x := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1}, Data: []float32{7}}
		response, err := v.Infer(t.Context(), serving.Request{Inputs: []tensor.Named{{Name: "x", Value: x}}})
		if assert.NoError(t, err) {
			assert.Equal(t, []float32{7}, response.Outputs[0].Value.(*tensor.Tensor).Data)
		}
	}
	infer() // the first run is measured and waits for no other
	for range 2 {
		var both sync.WaitGroup
		both.Go(infer)
		both.Go(infer)
		both.Wait()
	}
	const reason = `output "y" has shape [1] for a batch of 2 rows`
	assert.Contains(t, v.BatchingRefused(), reason)
	assert.Equal(t, 1, strings.Count(log.String(), "batching refused"))
	assert.Contains(t, log.String(), `"level":"WARN","msg":"batching refused","model":"m","version":"1"`)
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP slipway_batching_refused 1 while the version runs without the batching that its configuration enables.
# TYPE slipway_batching_refused gauge
slipway_batching_refused{model="m",version="1"} 1
`), "slipway_batching_refused"))
}
