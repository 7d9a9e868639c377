package serving_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// text returns the inputs of the model tokens.
func text(shape, mask []int64, id int64) []tensor.Named {
	make := func(name string, shape []int64, value int64) tensor.Named {
		n, _ := tensor.Count(shape)
		data := make([]int64, n)
		for i := range data {
			data[i] = value
		}
		return tensor.Named{Name: name, Value: &tensor.Tensor{DType: tensor.Int64, Shape: shape, Data: data}}
	}
	return []tensor.Named{make("ids", shape, id), make("mask", mask, 1)}
}

// What is wrong with the data of a request is the client's fault, and it is the request
// that fails, not those that share its run.
func TestDataThatTheModelRefusesIsTheClientsFault(t *testing.T) {
	for _, settings := range []string{"", "batching: {maxBatchSize: 8, maxQueueDelay: 20ms}\ninstances: {count: 1}\n"} {
		c, _ := load(t, map[string]string{"m/1/model.onnx": "tokens", "m/config.yaml": settings}, "")
		v, err := c.Choose("m", "")
		require.NoError(t, err)
		require.Empty(t, v.BatchingRefused())
		var all sync.WaitGroup
		for name, test := range map[string]struct {
			inputs  []tensor.Named
			message string
		}{
			"good":                       {text([]int64{1, 5}, []int64{1, 5}, 49), ""},
			"good beside it":             {text([]int64{2, 5}, []int64{2, 5}, 3), ""},
			"a token beyond the table":   {text([]int64{1, 5}, []int64{1, 5}, 50), "idx=50 must be within the inclusive range [-50,49]"},
			"more tokens than places":    {text([]int64{1, 21}, []int64{1, 21}, 1), "20 by 21"},
			"a mask of another length":   {text([]int64{1, 5}, []int64{1, 6}, 1), `input "mask": dimension 1 (sequence) is 6, that of input "ids" is 5; they must be the same`},
			"a mask of another batch":    {text([]int64{3, 5}, []int64{1, 5}, 1), `input "mask": dimension 0 (batch) is 1, that of input "ids" is 3`},
			"a mask that fits by chance": {text([]int64{1, 1}, []int64{1, 4}, 1), `dimension 1 (sequence) is 4`},
		} {
			all.Go(func() {
				for range 20 {
					_, err := v.Infer(t.Context(), serving.Request{Inputs: test.inputs})
					if test.message == "" {
						assert.NoError(t, err, name)
						continue
					}
					assert.ErrorContains(t, err, test.message, name)
					assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err), fmt.Sprint(name, err))
				}
			})
		}
		all.Wait()
	}
}
