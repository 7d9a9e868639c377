package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// every is a repository with a model of each kind that is described differently.
func every(t testing.TB) string {
	t.Helper()
	folder := onnxtest.Repository(t, map[string]string{
		"plus/1/model.onnx": "constant_1", "plus/2/model.onnx": "constant_2",
		"simple/1/model.onnx": "add_sub", "sequence/1/model.onnx": "sequence", "text/1/model.onnx": "identity_bytes",
		"fixed/1/model.onnx": "static_batch", "half/1/model.onnx": "identity_fp16", "scalar/1/model.onnx": "scalar_fp32",
	})
	for model, text := range map[string]string{
		"plus":  "versions: {specific: [1, 2]}\n",
		"fixed": "batching: {maxBatchSize: 4}\n", // which is refused
		"text":  "versions: {all: true}\n",
		"simple": `
batching: {maxBatchSize: 8, preferredBatchSizes: [4], maxQueueDelay: 500us}
queue: {maxRequests: 10, timeout: 2s, priorityLevels: 3, defaultPriority: 2}
instances: {count: 2, intraOpThreads: 1}
warmUp: [{name: ones, batchSize: 2, count: 3, inputs: {INPUT0: {datatype: INT32, dims: [16]}, INPUT1: {datatype: INT32, dims: [16], random: true}}}]
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, model, "config.yaml"), []byte(text), 0o600))
	}
	return folder
}

// same checks that a JSON body has a message, field by field, and nothing besides
// but properties.
func same[M proto.Message](t testing.TB, want M, body string) {
	t.Helper()
	got := want.ProtoReflect().New().Interface()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &fields))
	delete(fields, "properties")
	text, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, protojson.Unmarshal(text, got), body)
	assert.True(t, proto.Equal(want, got), "REST: %s\ngRPC: %v", body, want)
}

// Both protocols describe a version from one description.
func TestDescriptions(t *testing.T) {
	f := start(t, every(t), nil)
	for _, m := range f.api.Catalog.Models() {
		t.Run(m.Name, func(t *testing.T) {
			path := "/v2/models/" + m.Name
			config, err := f.client().ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: m.Name})
			require.NoError(t, err)
			same(t, config.GetConfig(), f.get(t, path+"/config"))

			described, err := f.client().ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: m.Name})
			require.NoError(t, err)
			var properties struct{ Properties map[string]string }
			require.NoError(t, json.Unmarshal([]byte(f.get(t, path)), &properties))
			assert.Len(t, properties.Properties, len(described.GetParameters()))
			for name, p := range described.GetParameters() {
				assert.Equal(t, p.GetStringParam(), properties.Properties[name])
			}
			described.Parameters = nil
			same(t, described, f.get(t, path))

			statistics, err := f.client().ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{Name: m.Name})
			require.NoError(t, err)
			same(t, statistics, f.get(t, path+"/stats"))
		})
	}
	assert.Contains(t, f.get(t, "/v2/models/simple/config"),
		`"model_warmup":[{"name":"ones","batch_size":2,"inputs":{"INPUT0":{"data_type":"TYPE_INT32","dims":[16],"zero_data":true},`+
			`"INPUT1":{"data_type":"TYPE_INT32","dims":[16],"random_data":true}},"count":3}]`, "whole numbers are numbers")
	assert.Contains(t, f.get(t, "/v2/models/fixed"), `"batching":"refused: `)
}
