package batch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

const poison = -1 // a value that fails the run

var errPoison = errors.New("poison")

// twice returns every number doubled as Y, and as S a row of X for each row.
func twice(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
	x := inputs[0].Data.([]float32)
	y, bad := make([]float32, len(x)), false
	for i, v := range x {
		y[i] = 2 * v
		bad = bad || v == poison
	}
	for range len(x) % 7 {
		runtime.Gosched()
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case bad:
		return nil, errPoison
	}
	rows := make(tensor.Sequence, inputs[0].Shape[0])
	for i := range rows {
		rows[i] = &tensor.Tensor{DType: tensor.FP32, Shape: inputs[0].Shape[1:], Data: slices.Clone(inputs[0].Rows(i, i+1).Data.([]float32))}
	}
	answers := map[string]tensor.Value{"Y": &tensor.Tensor{DType: tensor.FP32, Shape: inputs[0].Shape, Data: y}, "S": rows}
	if outputs == nil {
		outputs = []string{"Y", "S"}
	}
	var all []tensor.Named
	for _, name := range outputs {
		all = append(all, tensor.Named{Name: name, Value: answers[name]})
	}
	return all, nil
}

// caller is one of many that send random requests and check the responses.
type caller struct {
	q      *batch.Queue
	random *rand.Rand
	sums   *sync.Map
}

func (c *caller) count(what string) {
	n, _ := c.sums.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (c *caller) send(t *testing.T, id float32) {
	rows, width := c.random.IntN(5), 1+c.random.IntN(3)
	x := make([]float32, rows*width)
	for i := range x {
		x[i] = id + float32(i)
	}
	bad := len(x) > 0 && c.random.IntN(50) == 0
	if bad {
		x[c.random.IntN(len(x))] = poison
	}
	sent := slices.Clone(x)
	r := batch.Request{
		Inputs:   []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{int64(rows), int64(width)}, Data: x}},
		Outputs:  [][]string{nil, {"Y"}, {"S"}, {"S", "Y"}}[c.random.IntN(4)],
		Priority: c.random.IntN(4),
	}
	ctx, cancel := context.WithTimeout(t.Context(), []time.Duration{time.Hour, time.Millisecond / 5}[c.random.IntN(2)])
	defer cancel()
	if c.random.IntN(8) == 0 {
		go cancel()
	}
	a, err := c.q.Do(ctx, r)
	for i := range x {
		x[i] = 1e9 // nobody may read it any more
	}
	switch code := fault.CodeOf(err); {
	case errors.Is(err, errPoison):
		assert.True(t, bad)
		c.count("bad")
	case code == fault.Canceled, code == fault.DeadlineExceeded:
		assert.Error(t, ctx.Err())
		c.count("canceled")
	case code == fault.Overloaded:
		assert.Positive(t, fault.RetryAfterOf(err))
		c.count("rejected")
	default:
		require.NoError(t, err)
		assert.False(t, bad)
		check(t, r, sent, a)
		c.count("answered")
	}
}

func check(t *testing.T, r batch.Request, sent []float32, a batch.Response) {
	names := r.Outputs
	if names == nil {
		names = []string{"Y", "S"}
	}
	require.Len(t, a.Outputs, len(names))
	for i, name := range names {
		require.Equal(t, name, a.Outputs[i].Name)
		if s, ok := a.Outputs[i].Value.(tensor.Sequence); ok {
			require.Len(t, s, int(r.Inputs[0].Shape[0]))
			got := []float32{}
			for _, row := range s {
				got = append(got, row.(*tensor.Tensor).Data.([]float32)...)
			}
			require.Equal(t, sent, got)
			continue
		}
		y := a.Outputs[i].Value.(*tensor.Tensor)
		require.Equal(t, r.Inputs[0].Shape, y.Shape)
		for n, v := range y.Data.([]float32) {
			require.Equal(t, 2*sent[n], v)
		}
	}
}

func TestEveryAnswerIsRightUnderLoad(t *testing.T) {
	const callers, requests = 32, 400
	for _, o := range []batch.Options{
		{Instances: 2, MaxQueueRequests: 20, MaxQueueBytes: 1 << 20, PriorityLevels: 3},
		{Instances: 2, MaxBatchSize: 16, MaxQueueRequests: 24, MaxQueueBytes: 600, PriorityLevels: 3, DefaultPriority: 2},
		{Instances: 3, MaxBatchSize: 8, MaxQueueRequests: 1 << 10, MaxQueueBytes: 1 << 20, PriorityLevels: 3, PreferredBatchSizes: []int{4}, MaxQueueDelay: 50 * time.Microsecond},
	} {
		l, sums := newLedger(), &sync.Map{}
		q := newQueue(t, twice, o, l)
		var all sync.WaitGroup
		for n := range callers {
			all.Go(func() {
				c := caller{q: q, random: rand.New(rand.NewPCG(uint64(n), 1)), sums: sums}
				for i := range requests {
					c.send(t, float32((n*requests+i)*16))
				}
			})
		}
		all.Wait()
		q.Close()
		sum := func(what string) int {
			n, ok := sums.Load(what)
			require.True(t, ok, what)
			return int(n.(*atomic.Int64).Load())
		}
		rejected := l.rejected["requests"] + l.rejected["bytes"] + l.rejected["deadline"]
		assert.Equal(t, callers*requests, sum("answered")+sum("bad")+sum("canceled")+rejected)
		assert.Equal(t, sum("canceled"), l.canceled["queue"]+l.canceled["run"])
		assert.Equal(t, callers*requests, l.waited+rejected+l.canceled["queue"])
		assert.GreaterOrEqual(t, l.requests, sum("answered"))
		assert.LessOrEqual(t, l.requests, sum("answered")+l.canceled["run"])
		assert.Zero(t, l.depth)
		assert.Zero(t, l.bytes)
		assert.Empty(t, l.refused)
		t.Log(o.MaxBatchSize, "answered", sum("answered"), "bad", sum("bad"), l.canceled, l.rejected, "runs", l.runs, "failed", l.failed)
	}
}
