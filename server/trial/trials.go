package trial

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"slipway/server/admission"
)

// Options of trials.
type Options struct {
	Command []string      // the child's program and its arguments
	Library string        // ONNX Runtime's; empty: where the child finds it
	Timeout time.Duration // of one trial
	Memory  int64         // most bytes of one trial; 0: what the container has left
}

// Trials runs trials, several side by side as far as memory goes.
type Trials struct {
	options Options
	memory  memory
}

// New returns trials that share the limit bytes of the container with this process.
// They are charged to the budget of its requests, which may be nil.
func New(o Options, limit int64, budget *admission.Budget) *Trials {
	used := func() int64 { return heldBy(os.Getpid()) }
	return &Trials{options: o, memory: memory{limit: limit, used: used, most: o.Memory, budget: budget}}
}

// Run tries a version in a child process. A *Failure is why it did not pass. The
// memory that the trial has needed stays reserved until release is called: the
// server is about to need it.
func (t *Trials) Run(ctx context.Context, r Request) (_ Result, release func(), err error) {
	want := perModelByte*r.Bundle.Size() + smallest
	memory, err := t.memory.reserve(ctx, want, false)
	if err != nil {
		return Result{}, nil, err
	}
	result, err := t.try(ctx, r, memory)
	if memory.bytes == want && lacksMemory(result, err) { // there may be more
		memory.release()
		if memory, err = t.memory.reserve(ctx, math.MaxInt64, true); err != nil {
			return Result{}, nil, err
		}
		result, err = t.try(ctx, r, memory)
	}
	if err != nil {
		memory.release()
		return Result{}, nil, err
	}
	memory.shrink(result.PeakBytes)
	return result, memory.release, nil
}

// lacksMemory reports whether a trial might have ended otherwise with more memory.
func lacksMemory(result Result, err error) bool {
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f.outOfMemory
	}
	return result.diedOfMemory || noMemory.MatchString(result.WarmUpRefused) || noMemory.MatchString(result.RowsUnlearned) ||
		noMemory.MatchString(result.BatchingRefused)
}

// try runs one child.
func (t *Trials) try(ctx context.Context, r Request, memory *reservation) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.options.Timeout, errTimeout)
	defer cancel()
	c, err := start(ctx, t.options.Command, task{
		Library: t.options.Library, Request: r,
		Limits: Limits{Memory: memory.bytes, IntraOpThreads: r.IntraOpThreads, ProcessorTime: time.Duration(r.IntraOpThreads+1) * t.options.Timeout},
	}, memory.exceeds)
	if err != nil {
		return Result{}, fmt.Errorf("start a trial: %w", err)
	}
	last := c.wait()
	switch {
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTimeout):
		return Result{}, context.Cause(ctx)
	case last.Result == nil && last.Failure == nil && c.passed != nil:
		crash := c.crashed(memory.bytes)
		c.passed.Died, c.passed.diedOfMemory, c.passed.PeakBytes = crash.Reason, crash.outOfMemory, c.peak
		return *c.passed, nil
	case ctx.Err() != nil:
		return Result{}, late(t.options.Timeout, c.processorTime(), c.while())
	case last.Failure != nil:
		return Result{}, c.failed(last.Failure, memory.bytes)
	case last.Result == nil:
		return Result{}, c.crashed(memory.bytes)
	}
	last.Result.PeakBytes = max(last.Result.PeakBytes, c.peak)
	return *last.Result, nil
}

var errTimeout = errors.New("the trial took too long")
