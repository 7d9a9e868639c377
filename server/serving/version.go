package serving

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"slipway/server/batch"
	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
	"slipway/server/tensor"
)

// Version is one version of a model, loaded.
type Version struct {
	Model, Number   string
	Inputs, Outputs []tensor.Spec

	// MaxBatchSize is the most rows of one run; 0 when requests are not batched.
	MaxBatchSize int
	// BatchingRefused is why the batching that was asked for is not done, or empty.
	BatchingRefused string
	// Instances is how many runs go on at once, IntraOpThreads how many threads each may use.
	Instances, IntraOpThreads int

	bundle     repository.Bundle
	config     modelconfig.Config
	session    *onnx.Session
	queue      *batch.Queue
	metrics    *telemetry.Version
	statistics statistics

	holds  atomic.Int64  // of the catalog and of the requests under way
	unheld chan struct{} // closed when the last one lets go
}

// Query is what is asked of a version.
type Query struct {
	Inputs   []tensor.Named // tensors only, in any order
	Outputs  []string       // nil means all of them
	Priority int            // 1 is the highest; 0 is the model's default
	Timeout  time.Duration  // shortens the model's own, if it is not 0
}

// Answer is what a version answers, and when its run was queued, started and finished.
type Answer = batch.Answer

// Admit is nil, or why a request with that timeout would be refused if it came
// now. Doors ask it before they read a request that is long.
func (v *Version) Admit(timeout time.Duration) error {
	began := time.Now()
	if err := v.queue.Admits(v.limit(timeout)); err != nil {
		v.statistics.failed(time.Since(began), err)
		return fmt.Errorf("model %q version %s: %w", v.Model, v.Number, err)
	}
	return nil
}

// limit is the time a request has, of its own and the model's timeout the
// shorter one; 0 is for ever.
func (v *Version) limit(timeout time.Duration) time.Duration {
	limit := v.config.Queue.Timeout
	if timeout > 0 && (limit == 0 || timeout < limit) {
		return timeout
	}
	return limit
}

// Infer waits for its turn and runs the model.
func (v *Version) Infer(ctx context.Context, q Query) (Answer, error) {
	ordered, err := v.order(q.Inputs)
	if err != nil {
		return Answer{}, err
	}
	if err := v.checkOutputs(q.Outputs); err != nil {
		return Answer{}, err
	}
	began := time.Now()
	if limit := v.limit(q.Timeout); limit > 0 {
		until := &deadline{Context: ctx, at: began.Add(limit)}
		defer until.done()
		ctx = until
	}
	answer, err := v.queue.Do(ctx, batch.Request{Inputs: ordered, Outputs: q.Outputs, Priority: q.Priority})
	if err != nil {
		v.statistics.failed(time.Since(began), err)
		return Answer{}, fmt.Errorf("model %q version %s: %w", v.Model, v.Number, err)
	}
	v.statistics.succeeded(answer)
	return answer, nil
}

// Golden is the path of the version's golden answers, or empty.
func (v *Version) Golden() string { return v.bundle.Golden }

// Config are what the repository says of the model.
func (v *Version) Config() modelconfig.Config { return v.config }

// acquire keeps the version from being freed; false if that is under way.
func (v *Version) acquire() bool {
	for {
		n := v.holds.Load()
		if n == 0 {
			return false
		}
		if v.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release lets go of a version that was acquired.
func (v *Version) Release() {
	if v.holds.Add(-1) == 0 {
		close(v.unheld)
	}
}

// free waits until nobody holds the version any more and gives its memory back.
func (v *Version) free() error {
	<-v.unheld
	v.queue.Close()
	v.metrics.Gone()
	return v.session.Close()
}

// order brings the inputs into the model's order and checks each against its spec.
func (v *Version) order(inputs []tensor.Named) ([]*tensor.Tensor, error) {
	ordered := make([]*tensor.Tensor, len(v.Inputs))
	for _, in := range inputs {
		at := indexOf(v.Inputs, in.Name)
		if at < 0 {
			return nil, fault.New(fault.InvalidArgument, "the model has no input %q; its inputs are %s", in.Name, quoted(v.Inputs))
		}
		t, ok := in.Value.(*tensor.Tensor)
		if !ok {
			return nil, fault.New(fault.InvalidArgument, "input %q: must be a tensor", in.Name)
		}
		if ordered[at] != nil {
			return nil, fault.New(fault.InvalidArgument, "input %q: given twice", in.Name)
		}
		if err := v.Inputs[at].Check(t); err != nil {
			return nil, fault.Wrap(fault.InvalidArgument, err)
		}
		ordered[at] = t
	}
	for i, t := range ordered {
		if t == nil {
			return nil, fault.New(fault.InvalidArgument, "input %q: missing; expected %s %s",
				v.Inputs[i].Name, v.Inputs[i].DType, tensor.ShapeString(v.Inputs[i].Shape))
		}
	}
	return ordered, nil
}

func (v *Version) checkOutputs(outputs []string) error {
	for _, name := range outputs {
		if indexOf(v.Outputs, name) < 0 {
			return fault.New(fault.InvalidArgument, "the model has no output %q; its outputs are %s", name, quoted(v.Outputs))
		}
	}
	return nil
}

func indexOf(specs []tensor.Spec, name string) int {
	for i, s := range specs {
		if s.Name == name {
			return i
		}
	}
	return -1
}

func quoted(specs []tensor.Spec) string {
	all := make([]string, len(specs))
	for i, s := range specs {
		all[i] = strconv.Quote(s.Name)
	}
	return strings.Join(all, ", ")
}
