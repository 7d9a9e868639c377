package batch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"slipway/server/batch"
	"slipway/server/tensor"
)

// A request with inputs that are for the whole run shares it with no other, and waits for none.
func TestARequestThatRunsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type run struct{ rows, inputs int }
		var runs []run
		g := blocked(t, func(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			runs = append(runs, run{int(inputs[0].Shape[0]), len(inputs)})
			return tiny(t.Context(), inputs, nil)
		}, newLedger())
		alone := func(values ...float32) batch.Request {
			r := request(values...)
			r.Alone = []*tensor.Tensor{nil, vector(7)}
			return r
		}
		for _, r := range []batch.Request{request(1), alone(2), request(3), alone(4, 5), alone(6), request(7)} {
			want := r.Inputs[0].Data
			g.start(t.Context(), r, func(a batch.Response, err error) {
				if assert.NoError(t, err) {
					assert.Equal(t, want, a.Outputs[0].Value.(*tensor.Tensor).Data)
				}
			})
		}
		g.Wait()
		assert.Equal(t, []run{{3, 1}, {1, 3}, {2, 3}, {1, 3}}, runs)
	})
	synctest.Test(t, func(t *testing.T) {
		o := unbounded(batch.Options{MaxBatchSize: 8, MaxQueueDelay: time.Hour})
		q := newQueue(t, tiny, o, newLedger())
		r := request(1)
		r.Alone = []*tensor.Tensor{vector(7)}
		began := time.Now()
		_, err := q.Do(t.Context(), r)
		assert.NoError(t, err)
		assert.Zero(t, time.Since(began))
	})
}
