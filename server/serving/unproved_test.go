package serving_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/serving"
	"slipway/server/trial"
)

// Batches that were too large to be verified are run all the same, and the log says up
// to what size they were.
func TestWhatWasNotVerifiedIsReported(t *testing.T) {
	const width = 1 << 18 // a row of 1 MiB, given and returned
	row := fmt.Sprintf(`{"name":"%%s","datatype":"FP32","shape":[1,%d],"data":[1%s]}`, width, strings.Repeat(",0", width-1))
	golden := fmt.Sprintf(`{"request":{"inputs":[%s]},"response":{"model_name":"m","outputs":[%s]}}`, fmt.Sprintf(row, "x"), fmt.Sprintf(row, "y"))
	folder := t.TempDir()
	install(t, folder, map[string]string{
		"m/1/model.onnx": "identity_fp32", "m/1/golden.ndjson": golden + "\n", "m/config.yaml": "batching: {maxBatchSize: 64}",
	})
	for _, o := range []serving.Options{{}, {Trials: trials(t, trial.Options{})}} {
		c, log := newCatalog(t, folder, o)
		require.NoError(t, c.LoadAll(t.Context()))
		v, err := c.Choose("m", "")
		require.NoError(t, err)
		assert.Equal(t, 64, v.MaxBatchSize)
		assert.LessOrEqual(t, v.ProvedBatchSize, 32)
		assert.GreaterOrEqual(t, v.ProvedBatchSize, 2)
		assert.Contains(t, v.Unproved, fmt.Sprintf("batches of more than %d rows were not verified: ", v.ProvedBatchSize))
		assert.Contains(t, log.String(), `"msg":"batching verified in part","model":"m","version":"1","max_batch_size":64,"proved_batch_size":`)
	}
}
