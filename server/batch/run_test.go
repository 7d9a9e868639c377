package batch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// blocked returns a group whose only instance is busy for a second.
func blocked(t *testing.T, run batch.Run, l *ledger) *group {
	t.Helper()
	first := true
	g := &group{q: newQueue(t, func(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
		if first {
			first = false
			return echo(time.Second)(ctx, inputs, nil)
		}
		return run(ctx, inputs, outputs)
	}, unbounded(batch.Options{MaxBatchSize: 64}), l)}
	g.start(t.Context(), request(0), ignore)
	return g
}

func TestABadInputFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, bad := newLedger(), errors.New("13 is bad")
		run := func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			if slices.Contains(inputs[0].Data.([]float32), 13) {
				time.Sleep(time.Second) // the run before is recorded meanwhile
				return nil, bad
			}
			return echo(time.Second)(ctx, inputs, nil)
		}
		g := blocked(t, run, l)
		for i := range 20 {
			g.start(t.Context(), request(float32(i), -1), func(a batch.Response, err error) {
				if i == 13 {
					assert.ErrorIs(t, err, bad)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, []float32{float32(i), -1}, values(t, a))
			})
		}
		g.q.Close()
		g.Wait()
		assert.Equal(t, []int{1, 40, 20, 20, 10, 6, 4, 2, 2, 10}, l.sizes, "halved until the bad one stands alone")
		assert.Equal(t, 20, l.waited-1)
		assert.Empty(t, l.refused)
	})
}

func TestCallersLeaveAFailedBatchTooAndCostNoFurtherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		run := func(ctx context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
			if len(inputs[0].Data.([]float32)) == 4 {
				time.Sleep(time.Second)
				return nil, errors.New("too many")
			}
			return echo(10*time.Second)(ctx, inputs, nil)
		}
		g := blocked(t, run, l)
		for i, timeout := range []time.Duration{1500 * time.Millisecond, time.Hour, 3 * time.Second, 4 * time.Second} {
			ctx, stop := context.WithTimeout(t.Context(), timeout)
			defer stop()
			began := time.Now()
			g.start(ctx, request(float32(i)), func(a batch.Response, err error) {
				if i == 1 {
					require.NoError(t, err)
					assert.Equal(t, []float32{1}, values(t, a))
					assert.Equal(t, 2, a.BatchSize)
					return
				}
				assert.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, timeout, time.Since(began))
			})
		}
		g.q.Close()
		g.Wait()
		assert.Equal(t, []int{1, 4, 2}, l.sizes, "nobody is left of the second half")
		assert.Equal(t, 3, l.canceled["run"])
	})
}

// rich returns a tensor, a sequence with one map for each row, and fails on unknown names.
func rich(requested *[][]string) batch.Run {
	return func(_ context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
		*requested = append(*requested, outputs)
		maps := make(tensor.Sequence, inputs[0].Shape[0])
		for i := range maps {
			maps[i] = tensor.Map{Keys: inputs[0].Rows(i, i+1), Values: inputs[0].Rows(i, i+1)}
		}
		all := []tensor.Named{{Name: "label", Value: inputs[0]}, {Name: "maps", Value: maps}}
		if outputs == nil {
			return all, nil
		}
		picked := []tensor.Named{}
		for _, name := range outputs {
			at := slices.IndexFunc(all, func(n tensor.Named) bool { return n.Name == name })
			if at < 0 {
				return nil, fault.New(fault.InvalidArgument, "no output %q", name)
			}
			picked = append(picked, all[at])
		}
		return picked, nil
	}
}

func TestEachGetsTheOutputsItRequests(t *testing.T) {
	for _, test := range []struct {
		name  string
		send  [][]string
		union []string
	}{
		{"the same", [][]string{{"label"}, {"label"}}, []string{"label"}},
		{"different", [][]string{{"maps"}, {"label"}, {"label", "maps"}}, []string{"maps", "label"}},
		{"all", [][]string{{"maps"}, nil, {"maps", "label"}}, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var requested [][]string
			g := blocked(t, rich(&requested), newLedger())
			for i, names := range test.send {
				r := request(float32(i), 10)
				if names != nil {
					r.Outputs = append(make([]string, 0, 8), names...)
				}
				g.start(t.Context(), r, func(a batch.Response, err error) {
					require.NoError(t, err, test.name)
					want, err := rich(new([][]string))(t.Context(), r.Inputs, names)
					require.NoError(t, err)
					require.Len(t, a.Outputs, len(want))
					for n, o := range a.Outputs {
						assert.Equal(t, want[n].Name, o.Name, test.name)
						assert.Equal(t, want[n].Value, o.Value, test.name)
					}
					assert.Equal(t, 2*len(test.send), a.BatchSize)
					assert.Empty(t, strings.Join(r.Outputs[len(r.Outputs):cap(r.Outputs)], ""), "the union must not be written into what a caller gave")
				})
			}
			g.Wait()
			assert.Equal(t, [][]string{test.union}, requested, test.name)
		})
	}
}

func TestAnUnknownOutputFailsItsRequestOnly(t *testing.T) {
	for _, others := range [][]string{nil, {"label"}} {
		synctest.Test(t, func(t *testing.T) {
			g := blocked(t, rich(new([][]string)), newLedger())
			for i, names := range [][]string{others, {"nope"}, others} {
				r := request(float32(i))
				r.Outputs = names
				g.start(t.Context(), r, func(_ batch.Response, err error) {
					if i == 1 {
						assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
						assert.ErrorContains(t, err, `no output "nope"`)
						return
					}
					assert.NoError(t, err)
				})
			}
			g.Wait()
		})
	}
}

func TestOutputsThatCannotBeSplitEndBatching(t *testing.T) {
	for _, test := range []struct {
		value tensor.Value
		err   string
	}{
		{&tensor.Tensor{DType: tensor.FP32, Data: []float32{1}}, `output "Y" has shape [] for a batch of 2 rows; dimension 0 must be that of the inputs`},
		{vector(1), `output "Y" has shape [1,1] for a batch of 2 rows; dimension 0 must be that of the inputs`},
		{tensor.Sequence{vector(1)}, `output "Y" is a sequence of 1 for a batch of 2 rows; it must have one for each`},
		{tensor.Map{Keys: vector(1), Values: vector(1)}, `output "Y" is a map, which can't be split by row`},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			g := blocked(t, func(_ context.Context, inputs []*tensor.Tensor, _ []string) ([]tensor.Named, error) {
				time.Sleep(time.Second)
				return []tensor.Named{{Name: "Y", Value: test.value}, {Name: "X", Value: inputs[0]}}, nil
			}, l)
			alone := func(i float32) func(a batch.Response, err error) {
				return func(a batch.Response, err error) {
					require.NoError(t, err)
					assert.Equal(t, []tensor.Named{{Name: "Y", Value: test.value}, {Name: "X", Value: vector(i)}}, a.Outputs)
				}
			}
			g.start(t.Context(), request(1), alone(1))
			g.start(t.Context(), request(2), alone(2))
			g.Wait()
			for i := range 3 {
				g.start(t.Context(), request(float32(i)), alone(float32(i)))
			}
			g.Wait()
			require.Len(t, l.refused, 1, "the observer is notified once")
			assert.EqualError(t, l.refused[0], test.err)
			assert.Equal(t, []int{1, 2, 1, 1, 1, 1, 1}, l.sizes)
		})
	}
}
