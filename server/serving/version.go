package serving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"slipway/server/admission"
	"slipway/server/batch"
	"slipway/server/crashmark"
	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/names"
	"slipway/server/rows"
	"slipway/server/telemetry"
	"slipway/server/tensor"
)

// Version is one version of a model, loaded.
type Version struct {
	candidate
	Model, Number string

	// MaxBatchSize is the most rows of one request, and of one run; 0 when the model
	// was loaded without batching. It stays when batching is refused later on: clients
	// have shaped their requests by it.
	MaxBatchSize int
	// ProvedBatchSize is how many rows were verified to keep apart, and Unproved why not
	// MaxBatchSize were; empty if they were.
	ProvedBatchSize int
	Unproved        string
	// Instances is the number of concurrent runs, IntraOpThreads that of threads in each.
	Instances, IntraOpThreads int

	refused    atomic.Pointer[string] // why requests are not batched
	mark       *crashmark.Mark
	queue      *batch.Queue
	metrics    *telemetry.Version
	statistics statistics

	catalog *Catalog
	late    atomic.Int64  // runs that go on although nobody waits for them
	holds   atomic.Int64  // of the catalog and of the requests under way
	unheld  chan struct{} // closed when the last one is released
}

// Request is a request to a version.
type Request struct {
	Inputs   []tensor.Named // tensors only, in any order
	Outputs  []string       // nil means all of them
	Rows     int            // instances whose rows are along the first axis of every input; 0: the inputs are as the model takes them
	Priority int            // 1 is the highest; 0 is the model's default
	Timeout  time.Duration  // shortens the model's own, if it is not 0
	Charge   *admission.Charge
}

// Response is a version's response, and when its run was queued, started and finished.
type Response = batch.Response

// Admit returns nil, or why a request with that timeout would be refused if it came
// now. It is called before a long request is read.
func (v *Version) Admit(timeout time.Duration) error {
	began := time.Now()
	if err := v.queue.Admits(v.limit(timeout)); err != nil {
		v.statistics.failed(time.Since(began), err)
		return fmt.Errorf("model %q version %s: %w", v.Model, v.Number, err)
	}
	return nil
}

// limit returns the time that a request has, the shorter one of its own and the
// model's timeout; 0 is no limit.
func (v *Version) limit(timeout time.Duration) time.Duration {
	limit := v.config.Queue.Timeout
	if timeout > 0 && (limit == 0 || timeout < limit) {
		return timeout
	}
	return limit
}

// StillRead reports that a run still reads the inputs of a request whose error this
// is: native code did not end it in time.
func StillRead(err error) bool { return errors.As(err, new(*batch.Late)) }

// Infer checks the request, queues it and runs the model.
func (v *Version) Infer(ctx context.Context, q Request) (Response, error) {
	if q.Rows == 0 {
		return v.infer(ctx, q)
	}
	if err := rows.Check(v.Accepts(), q.Inputs, v.Outputs, q.Rows); err != nil {
		return Response{}, err
	}
	q.Inputs = rows.Stack(v.Accepts(), q.Inputs)
	response, err := v.infer(ctx, q)
	if err != nil {
		return Response{}, err
	}
	response.Outputs, err = rows.Unstack(v.Outputs, response.Outputs, q.Rows)
	return response, err
}

func (v *Version) infer(ctx context.Context, q Request) (Response, error) {
	ordered, optional, err := v.order(q.Inputs)
	if err != nil {
		return Response{}, err
	}
	if err := v.checkOutputs(q.Outputs); err != nil {
		return Response{}, err
	}
	if v.MaxBatchSize > 0 { // a batch is a copy of its inputs
		if err := q.Charge.Add(admission.Run, bytesOf(ordered)); err != nil {
			return Response{}, err
		}
	}
	began := time.Now()
	if limit := v.limit(q.Timeout); limit > 0 {
		until := &deadline{Context: ctx, at: began.Add(limit)}
		defer until.stop()
		ctx = until
	}
	response, err := v.queue.Do(ctx, batch.Request{Inputs: ordered, Alone: optional, Outputs: q.Outputs, Priority: q.Priority})
	if err != nil {
		if late := (*batch.Late)(nil); errors.As(err, &late) { // the run still has what was charged
			q.Charge.Keep()
			late.After(q.Charge.Release)
		}
		v.statistics.failed(time.Since(began), err)
		return Response{}, fmt.Errorf("model %q version %s: %w", v.Model, v.Number, err)
	}
	v.statistics.succeeded(response)
	return response, q.Charge.Add(admission.Run, outputBytes(response.Outputs))
}

func bytesOf(tensors []*tensor.Tensor) (sum int64) {
	for _, t := range tensors {
		sum += t.Bytes()
	}
	return sum
}

func outputBytes(outputs []tensor.Named) (sum int64) {
	for _, out := range outputs {
		sum += tensor.SizeOf(out.Value)
	}
	return sum
}

// Golden returns the path of the version's golden answers, or empty.
func (v *Version) Golden() string { return v.bundle.Golden }

// OpenGolden opens the version's golden answers, which it must have. Those that it has
// not reproduced are an error.
func (v *Version) OpenGolden() (*os.File, error) {
	file, err := v.bundle.OpenGolden()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "model %q version %s: golden answers: %w", v.Model, v.Number, err)
	}
	return file, nil
}

// Config returns the configuration that the version was loaded with.
func (v *Version) Config() modelconfig.Config { return v.config }

// BatchingRefused returns why requests are not batched although the configuration
// enables it, or empty: rows answered otherwise in a batch when that was verified,
// or the outputs of a batch could not be split.
func (v *Version) BatchingRefused() string {
	if reason := v.refused.Load(); reason != nil {
		return *reason
	}
	return ""
}

func (v *Version) refuseBatching(reason string, log *slog.Logger) {
	v.refused.Store(&reason)
	log.Warn("batching refused", "reason", reason)
}

// acquire keeps the version from being freed; it returns false if that is under way.
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

// Release ends the use of a version that was acquired.
func (v *Version) Release() {
	if v.holds.Add(-1) == 0 {
		close(v.unheld)
	}
}

// free waits until nobody holds the version any more and frees its memory.
func (v *Version) free() error {
	<-v.unheld
	v.queue.Close()
	v.metrics.Close()
	v.mark.Free()
	return v.session.Close()
}

func (v *Version) checkOutputs(outputs []string) error {
	for _, name := range outputs {
		if indexOf(v.Outputs, name) < 0 {
			return fault.New(fault.InvalidArgument, "the model has no output %q; its outputs are %s", name, names.List(name, tensor.Names(v.Outputs)))
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
