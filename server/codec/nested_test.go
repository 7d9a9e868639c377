package codec

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

// The values are the same without number.Float32s, so that no other test notices when it is not called.
func TestFP32IsReadManyNumbersAtATime(t *testing.T) {
	b, err := newBuilder(tensor.FP32, &scanner{}, false)
	require.NoError(t, err)
	assert.NotNil(t, b.(*flat[float32]).parseMany)
}
