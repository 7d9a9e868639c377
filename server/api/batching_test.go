package api_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

// Triton's max_batch_size promises batches along the first axis. A model that has its
// rows elsewhere is described with whole shapes and without it, and batches all the same.
func TestConfigOfRowsAlongAnotherAxis(t *testing.T) {
	folder := onnxtest.Repository(t, map[string]string{"recurrent/1/model.onnx": "recurrent", "plus/1/model.onnx": "constant_1"})
	for _, model := range []string{"recurrent", "plus"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, model, "config.yaml"), []byte("batching: {maxBatchSize: 8}\n"), 0o600))
	}
	f := start(t, folder, nil)
	config := f.get(t, "/v2/models/recurrent/config")
	assert.Contains(t, config, `"max_batch_size":0`)
	assert.Contains(t, config, `{"name":"h0","data_type":"TYPE_FP32","dims":[1,-1,3]}`)
	assert.Contains(t, config, `"batching":{"string_value":"up to 8 rows, which do not all lie along the first axis"}`)
	assert.Contains(t, f.get(t, "/v2/models/plus/config"), `"max_batch_size":8`)
	v, err := f.api.Catalog.Choose("recurrent", "")
	require.NoError(t, err)
	assert.Equal(t, 8, v.MaxBatchSize)
}
