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
	members []*waiter
	rows    int
	inputs  []*tensor.Tensor // a copy, so that callers can leave
	copied  chan struct{}    // closed when inputs is complete
	ctx     context.Context
	cancel  context.CancelCauseFunc
	present int // members whose callers are still there; guarded by the queue

	outputs           []tensor.Named
	err               error
	started, finished time.Time
}

// newBatch claims its members; the queue is locked.
func newBatch(members []*waiter, copied chan struct{}) *batch {
	b := &batch{members: members, copied: copied}
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	for _, w := range members {
		w.batch, w.from = b, b.rows
		b.rows += w.rows
		if !w.gone {
			b.present++
		}
	}
	return b
}

// lead runs the model for w on the instance that it was handed.
func (q *Queue) lead(w *waiter) (Answer, error) {
	now := time.Now()
	if w.ctx.Err() != nil {
		q.release(w.instance, now)
		return Answer{}, q.left(w.ctx, "queue")
	}
	q.observer.Waited(now.Sub(w.queued))
	return q.alone(w.ctx, w.Request, w.instance, w.queued, now)
}

// alone runs the model for one request on its caller's goroutine.
func (q *Queue) alone(ctx context.Context, r Request, i *instance, queued, started time.Time) (Answer, error) {
	rows := i.rows
	outputs, err := q.try(ctx, r.Inputs, r.Outputs)
	finished := time.Now()
	q.ran(i, rows, started, finished, err)
	q.observer.Ran(rows, 1, finished.Sub(started), err)
	if err != nil {
		if ctx.Err() != nil {
			err = q.left(ctx, "run")
		}
		return Answer{}, err
	}
	return Answer{Outputs: outputs, Queued: queued, Started: started, Finished: finished, BatchSize: rows}, nil
}

// try runs the model; a panic must not take the process or the instance with it.
func (q *Queue) try(ctx context.Context, inputs []*tensor.Tensor, outputs []string) (named []tensor.Named, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Internal, "the run panicked: %v", p)
		}
	}()
	return q.run(ctx, inputs, outputs)
}

// ran learns from a run; an instance that comes with it is free again.
func (q *Queue) ran(i *instance, rows int, started, finished time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.estimate.ran(rows, finished.Sub(started))
	}
	if i != nil {
		q.free(i, finished)
	}
}

func (q *Queue) release(i *instance, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free(i, now)
}

func (q *Queue) free(i *instance, now time.Time) {
	i.started = time.Time{}
	q.idle = append(q.idle, i)
	q.dispatch(now)
	q.settle()
}

// together runs the model for several requests on the goroutine of the batch.
func (q *Queue) together(b *batch, i *instance) {
	b.started = time.Now()
	for _, w := range b.members {
		q.observer.Waited(b.started.Sub(w.queued))
	}
	b.err = b.copy()
	close(b.copied)
	q.attempt(b, i)
}

func (b *batch) copy() error {
	b.inputs = make([]*tensor.Tensor, len(b.members[0].Inputs))
	parts := make([]*tensor.Tensor, len(b.members))
	for n := range b.inputs {
		for m, w := range b.members {
			parts[m] = w.Inputs[n]
		}
		var err error
		if b.inputs[n], err = tensor.Concat(parts); err != nil {
			return fmt.Errorf("form a batch: input %d: %w", n+1, err)
		}
	}
	return nil
}

// attempt runs b and tells its members, or, when it fails, runs its parts. An
// instance that comes with it is freed after the last run.
func (q *Queue) attempt(b *batch, i *instance) {
	defer b.cancel(nil)
	size := len(b.members)
	if b.err == nil && b.ctx.Err() == nil {
		size = q.once(b)
	}
	if size < len(b.members) {
		q.again(b, size, i)
		return
	}
	if i != nil {
		q.release(i, time.Now())
	}
	for _, w := range b.members {
		w.turn <- struct{}{}
	}
}

// once runs b. It says how many members to run at a time: all when that is how it ends.
func (q *Queue) once(b *batch) (size int) {
	b.outputs, b.err = q.try(b.ctx, b.inputs, b.wanted())
	b.finished = time.Now()
	q.ran(nil, b.rows, b.started, b.finished, b.err)
	q.observer.Ran(b.rows, len(b.members), b.finished.Sub(b.started), b.err)
	if len(b.members) == 1 || b.ctx.Err() != nil {
		return len(b.members)
	}
	if b.err != nil {
		return (len(b.members) + 1) / 2
	}
	if err := splittable(b.outputs, b.rows); err != nil {
		q.refuse(err)
		return 1
	}
	return len(b.members)
}

// again runs the members of b so many at a time, from the copy.
func (q *Queue) again(b *batch, size int, i *instance) {
	from := 0
	for at := 0; at < len(b.members); at += size {
		p := q.part(b, b.members[at:min(at+size, len(b.members))], from)
		from += p.rows
		if at+size < len(b.members) {
			q.attempt(p, nil)
		} else {
			q.attempt(p, i)
		}
	}
}

// part makes a batch of some members of b, the first of which has the row from.
func (q *Queue) part(b *batch, members []*waiter, from int) *batch {
	q.mu.Lock()
	p := newBatch(members, b.copied)
	if p.present == 0 {
		p.cancel(context.Canceled)
	}
	q.mu.Unlock()
	p.started = time.Now()
	p.inputs = make([]*tensor.Tensor, len(b.inputs))
	for n, t := range b.inputs {
		p.inputs[n] = t.Rows(from, from+p.rows)
	}
	return p
}

func (q *Queue) refuse(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refused == nil {
		q.refused, q.limit, q.enough = err, 1, 1
	}
}
