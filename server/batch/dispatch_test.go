package batch_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// counted is a request of so many rows.
func counted(rows int) batch.Request { return request(make([]float32, rows)...) }

func TestBatchesAreFormedWithoutWaitingForMore(t *testing.T) {
	for _, test := range []struct {
		name    string
		options batch.Options
		arrive  []int // rows; the first finds the instance idle
		runs    []int
	}{
		{"all that is there", batch.Options{MaxBatchSize: 8}, []int{1, 1, 2, 3}, []int{1, 6}},
		{"up to the limit", batch.Options{MaxBatchSize: 4}, []int{1, 1, 1, 1, 1, 1, 1}, []int{1, 4, 2}},
		{"a small one fills the batch", batch.Options{MaxBatchSize: 4}, []int{4, 3, 3, 1, 2}, []int{4, 4, 3, 2}},
		{"no batching", batch.Options{}, []int{9, 9, 9}, []int{1, 1, 1}},
		{"the largest preferred size", batch.Options{MaxBatchSize: 8, PreferredBatchSizes: []int{2, 4}}, []int{1, 1, 1, 1, 1, 1, 1}, []int{1, 4, 2}},
		{"none preferred is there", batch.Options{MaxBatchSize: 8, PreferredBatchSizes: []int{8}}, []int{1, 1, 1, 1}, []int{1, 3}},
		{"the preferred size is over the limit", batch.Options{MaxBatchSize: 4, PreferredBatchSizes: []int{5}}, []int{1, 1, 1, 1, 1, 1}, []int{1, 4, 1}},
		{"no rows", batch.Options{MaxBatchSize: 2}, []int{1, 1, 0, 1, 0}, []int{1, 2, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			g := group{q: newQueue(t, echo(time.Second), unbounded(test.options), l)}
			for _, rows := range test.arrive {
				g.start(t.Context(), counted(rows), func(a batch.Response, err error) {
					if assert.NoError(t, err, test.name) {
						assert.Len(t, values(t, a), rows, test.name)
					}
				})
			}
			g.q.Close()
			g.Wait()
			assert.Equal(t, test.runs, l.sizes, test.name)
		})
	}
}

// started notes when each run starts and how many rows it has.
type started struct {
	after time.Duration
	rows  int64
}

func TestABatchWaitsForMoreNoLongerThanItMay(t *testing.T) {
	const second = time.Second
	type arrival struct {
		at   time.Duration
		rows int
	}
	for _, test := range []struct {
		name    string
		options batch.Options
		arrive  []arrival
		runs    []started
	}{
		{"until the oldest is that old", batch.Options{MaxBatchSize: 8}, []arrival{{0, 1}, {second, 1}, {9 * second, 1}, {11 * second, 1}}, []started{{10 * second, 3}, {21 * second, 1}}},
		{"not when it is full", batch.Options{MaxBatchSize: 3}, []arrival{{0, 1}, {second, 2}}, []started{{second, 3}}},
		{"not when the next does not fit", batch.Options{MaxBatchSize: 3}, []arrival{{0, 2}, {second, 2}}, []started{{second, 2}, {11 * second, 2}}},
		{"not when it is preferred", batch.Options{MaxBatchSize: 8, PreferredBatchSizes: []int{3, 5}}, []arrival{{0, 1}, {second, 2}, {2 * second, 5}}, []started{{second, 3}, {2 * second, 5}}},
		{"not when it is past all preferred sizes", batch.Options{MaxBatchSize: 8, PreferredBatchSizes: []int{4}}, []arrival{{0, 3}, {second, 3}}, []started{{second, 6}}},
		{"not when no more may wait", batch.Options{MaxBatchSize: 8, MaxQueueRequests: 2}, []arrival{{0, 1}, {second, 1}}, []started{{second, 2}}},
		{"not when none may wait", batch.Options{MaxBatchSize: 8, MaxQueueRequests: -1}, []arrival{{second, 1}}, []started{{second, 1}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var runs []started
			began := time.Now()
			run := func(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
				runs = append(runs, started{time.Since(began), inputs[0].Shape[0]})
				return tiny(t.Context(), inputs, nil)
			}
			o := unbounded(test.options)
			if test.options.MaxQueueRequests != 0 {
				o.MaxQueueRequests = max(test.options.MaxQueueRequests, 0)
			}
			o.MaxQueueDelay = 10 * second
			g := group{q: newQueue(t, run, o, newLedger())}
			for _, a := range test.arrive {
				time.Sleep(a.at - time.Since(began))
				g.start(t.Context(), counted(a.rows), func(_ batch.Response, err error) { assert.NoError(t, err, test.name) })
			}
			g.Wait()
			g.q.Close()
			assert.Equal(t, test.runs, runs, test.name)
		})
	}
}

func TestWaitingForMoreCostsNobodyItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group{q: newQueue(t, echo(time.Second), unbounded(batch.Options{MaxBatchSize: 8, MaxQueueDelay: time.Hour}), newLedger())}
		for range 3 { // the first time nothing has been measured
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
			_, err := g.q.Do(ctx, request(1))
			assert.NoError(t, err)
			stop()
		}
		for i, r := range []batch.Request{request(1), {Inputs: []*tensor.Tensor{{DType: tensor.Int64, Shape: []int64{1}, Data: []int64{1}}}}} {
			g.within(t, time.Duration(100-50*i)*time.Second, r, func(_ batch.Response, err error) {
				assert.NoError(t, err, "nor does waiting behind another batch")
			})
		}
		g.Wait()
		g.q.Close()
	})
}

func TestOnlyWhatAgreesSharesARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs [][]int64
		run := func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			runs = append(runs, inputs[0].Shape)
			return echo(time.Second)(ctx, inputs, nil)
		}
		shaped := func(d tensor.DType, shape ...int64) batch.Request {
			n, _ := tensor.Count(shape)
			return batch.Request{Inputs: []*tensor.Tensor{{DType: d, Shape: shape, Data: tensor.Make(d, int(n))}}}
		}
		g := group{q: newQueue(t, run, unbounded(batch.Options{MaxBatchSize: 8}), newLedger())}
		for _, r := range []batch.Request{
			shaped(tensor.FP32, 1, 1), shaped(tensor.FP32, 1, 2), shaped(tensor.FP32, 1, 3), shaped(tensor.FP64, 1, 2),
			shaped(tensor.FP32, 2, 2), shaped(tensor.FP64, 3, 2), shaped(tensor.FP32, 1, 2, 1),
		} {
			g.start(t.Context(), r, func(a batch.Response, err error) {
				assert.NoError(t, err)
				assert.Equal(t, r.Inputs[0], a.Outputs[0].Value)
			})
		}
		g.Wait()
		assert.Equal(t, [][]int64{{1, 1}, {3, 2}, {1, 3}, {4, 2}, {1, 2, 1}}, runs)
	})
}

func TestWhatCannotBeBatchedIsRefused(t *testing.T) {
	q := newQueue(t, tiny, unbounded(batch.Options{MaxBatchSize: 4}), newLedger())
	scalar := &tensor.Tensor{DType: tensor.FP32, Data: []float32{1}}
	for _, test := range []struct {
		inputs []*tensor.Tensor
		err    string
	}{
		{[]*tensor.Tensor{vector(1, 2, 3, 4, 5)}, "the request has 5 rows, the model takes 4 at most (maxBatchSize); send it in parts"},
		{[]*tensor.Tensor{vector(1), scalar}, "input 2 of 2 is a scalar; with batching every input needs a first axis, the rows of the batch"},
		{[]*tensor.Tensor{vector(1), vector(1, 2)}, "input 2 of 2 has 2 rows, input 1 has 1; with batching every input needs the same number of them"},
	} {
		_, err := q.Do(t.Context(), batch.Request{Inputs: test.inputs})
		assert.EqualError(t, err, test.err)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
}
