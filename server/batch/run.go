package batch

import (
	"context"
	"fmt"
	"time"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// batch is a run of several requests, or a part of one that failed.
type batch struct {
	members  []*waiter
	rows     int
	inputs   []*tensor.Tensor // a copy, so that callers can leave
	copied   chan struct{}    // closed when inputs is complete
	ctx      context.Context
	cancel   context.CancelCauseFunc
	active   int // members that are not cancelled; guarded by the queue
	instance *instance

	outputs           []tensor.Named
	err               error
	started, finished time.Time
}

// newBatch makes a batch of members that no longer wait; the queue is locked.
func newBatch(members []*waiter, copied chan struct{}) *batch {
	b := &batch{members: members, copied: copied}
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	for _, w := range members {
		w.batch, w.from = b, b.rows
		b.rows += w.rows
		if !w.canceled {
			b.active++
		}
	}
	return b
}

// runSafely runs the model; a panic must take neither the process nor the instance with it.
func (q *Queue) runSafely(ctx context.Context, inputs []*tensor.Tensor, outputs []string) (named []tensor.Named, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "the run panicked: %v", p)
		}
	}()
	return q.run(ctx, inputs, outputs)
}

// learn learns from a run. The queue is locked.
func (q *Queue) learn(rows int, started, finished time.Time, err error) {
	if err == nil {
		q.estimate.add(rows, finished.Sub(started))
	}
}

// release makes an instance idle, or gives it what waits. The queue is locked.
func (q *Queue) release(i *instance, now time.Time) {
	i.started = time.Time{}
	if !i.late.IsZero() {
		i.late = time.Time{}
		q.observer.Late(q.late())
	}
	q.idle = append(q.idle, i)
	q.dispatch(now)
	q.signalDrained()
}

// runBatch runs the model for several requests.
func (q *Queue) runBatch(b *batch, i *instance) {
	b.started, b.instance = time.Now(), i
	for _, w := range b.members {
		q.observer.Waited(b.started.Sub(w.queued))
	}
	b.err = q.copy(b)
	close(b.copied)
	q.runOrSplit(b, i)
}

// copy joins the inputs of the members.
func (q *Queue) copy(b *batch) error {
	b.inputs = make([]*tensor.Tensor, len(b.members[0].Inputs))
	parts := make([]*tensor.Tensor, len(b.members))
	for n := range b.inputs {
		for m, w := range b.members {
			parts[m] = w.Inputs[n]
		}
		var err error
		if b.inputs[n], err = tensor.Concat(parts, q.inputAxis(n)); err != nil {
			return fmt.Errorf("form a batch: input %d: %w", n+1, err)
		}
	}
	return nil
}

// runOrSplit runs b and tells its members, or runs its parts when it fails. An
// instance that is passed is released after the last run.
func (q *Queue) runOrSplit(b *batch, i *instance) {
	defer b.cancel(nil)
	size := len(b.members)
	if b.err == nil && b.ctx.Err() == nil {
		size = q.runOnce(b)
	}
	if size < len(b.members) {
		q.splitAndRetry(b, size, i)
		return
	}
	if i != nil {
		q.mu.Lock()
		q.release(i, time.Now())
		q.mu.Unlock()
	}
	for _, w := range b.members {
		close(w.done)
	}
}

// runOnce runs b and returns how many members to run at a time next: all of them
// when the outcome is final.
func (q *Queue) runOnce(b *batch) (size int) {
	b.outputs, b.err = q.runSafely(b.ctx, b.inputs, b.outputNames())
	b.finished = time.Now()
	q.mu.Lock()
	q.learn(b.rows, b.started, b.finished, b.err)
	q.mu.Unlock()
	q.observer.Ran(b.rows, len(b.members), b.finished.Sub(b.started), b.err)
	if len(b.members) == 1 || b.ctx.Err() != nil {
		return len(b.members)
	}
	if b.err != nil {
		return (len(b.members) + 1) / 2
	}
	if err := q.splittable(b.outputs, b.rows); err != nil {
		q.refuseBatching(err)
		return 1
	}
	return len(b.members)
}

// splitAndRetry runs the members of b size at a time, from the copy.
func (q *Queue) splitAndRetry(b *batch, size int, i *instance) {
	from := 0
	for at := 0; at < len(b.members); at += size {
		p := q.subBatch(b, b.members[at:min(at+size, len(b.members))], from)
		from += p.rows
		if at+size < len(b.members) {
			q.runOrSplit(p, nil)
		} else {
			q.runOrSplit(p, i)
		}
	}
}

// subBatch makes a batch of some members of b, the first of which has the row from.
func (q *Queue) subBatch(b *batch, members []*waiter, from int) *batch {
	q.mu.Lock()
	p := newBatch(members, b.copied)
	if p.active == 0 {
		p.cancel(context.Canceled)
	}
	q.mu.Unlock()
	p.started = time.Now()
	p.inputs = make([]*tensor.Tensor, len(b.inputs))
	for n, t := range b.inputs {
		p.inputs[n] = t.Slice(q.inputAxis(n), from, from+p.rows)
	}
	return p
}

// refuseBatching ends batching and notifies the observer, once.
func (q *Queue) refuseBatching(err error) {
	q.mu.Lock()
	first := !q.refused
	if first {
		q.refused, q.limit, q.fullRows = true, 1, 1
	}
	q.mu.Unlock()
	if first {
		q.observer.BatchingRefused(err)
	}
}
