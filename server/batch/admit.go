package batch

import (
	"context"
	"fmt"
	"time"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// minRetryAfter is the shortest Retry-After.
const minRetryAfter = time.Millisecond

// check returns how many rows r has in a batch and at which level it waits.
func (q *Queue) check(r Request) (rows, level int, err error) {
	switch levels := q.options.PriorityLevels; {
	case r.Priority < 0, levels > 1 && r.Priority > levels:
		return 0, 0, fault.New(fault.InvalidArgument, "priority %d: this model has levels 1 (first) to %d, and 0 for its default", r.Priority, levels)
	case levels == 1:
	case r.Priority == 0:
		level = q.options.DefaultPriority - 1
	default:
		level = r.Priority - 1
	}
	if !q.batching() {
		return 1, level, nil
	}
	rows, err = q.rows(r.Inputs)
	return rows, level, err
}

// rows returns the size of the rows' axis, which must be the same for all inputs.
func (q *Queue) rows(inputs []*tensor.Tensor) (int, error) {
	rows := int64(1)
	for i, t := range inputs {
		axis := q.inputAxis(i)
		switch {
		case len(t.Shape) == 0:
			return 0, fault.New(fault.InvalidArgument, "input %d of %d is a scalar; with batching every input needs a first axis, the rows of the batch", i+1, len(inputs))
		case axis >= len(t.Shape):
			return 0, fault.New(fault.InvalidArgument, "input %d of %d has shape %s; with batching it needs dimension %d, the rows of the batch", i+1, len(inputs), tensor.ShapeString(t.Shape), axis)
		case i == 0:
			rows = t.Shape[axis]
		case t.Shape[axis] != rows:
			return 0, fault.New(fault.InvalidArgument, "input %d of %d has %d rows, input 1 has %d; with batching every input needs the same number of them", i+1, len(inputs), t.Shape[axis], rows)
		}
	}
	if rows > int64(q.options.MaxBatchSize) {
		return 0, fault.New(fault.InvalidArgument, "the request has %d rows, the model takes %d at most (maxBatchSize); send it in parts", rows, q.options.MaxBatchSize)
	}
	return int(rows), nil
}

func size(inputs []*tensor.Tensor) int64 {
	sum := int64(0)
	for _, t := range inputs {
		if t != nil {
			sum += t.Bytes()
		}
	}
	return sum
}

// Admits returns nil, or why a request that came now with that time limit (0: none)
// would be refused. It is called before a request is read, because reading costs
// more than refusing; its rows and priority are not known then.
func (q *Queue) Admits(limit time.Duration) error {
	if q.options.PriorityLevels > 1 {
		return nil
	}
	w := &waiter{rows: 1, queued: time.Now()}
	if limit > 0 {
		w.deadline = w.queued.Add(limit)
	}
	q.mu.Lock()
	reason, err := q.admit(w)
	q.mu.Unlock()
	if err != nil {
		q.observer.Rejected(reason)
	}
	return err
}

// tryAcquire takes an idle instance for a request that need not wait, or returns nil.
func (q *Queue) tryAcquire(rows int, now time.Time) *instance {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.idle) == 0 || q.waiting.requests > 0 || q.timer != nil && !q.ready(rows) {
		return nil
	}
	return q.take(rows, now)
}

// enqueue lets w wait, or returns why it may not.
func (q *Queue) enqueue(w *waiter) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return fault.New(fault.Unavailable, "the model is being closed")
	}
	reason, err := q.admit(w)
	if err == nil {
		q.waiting.push(w)
		q.observer.Depth(q.waiting.requests, q.waiting.bytes)
		q.dispatch(w.queued)
	}
	q.mu.Unlock()
	if err != nil {
		q.observer.Rejected(reason)
	}
	return err
}

// admit refuses what would exceed the bounds of the queue or miss its deadline.
// While an instance is idle nothing is refused: requests then wait only for more
// requests to share their batch.
func (q *Queue) admit(w *waiter) (reason string, err error) {
	if len(q.idle) > 0 {
		return "", nil
	}
	l, o := &q.waiting, &q.options
	if l.requests >= o.MaxQueueRequests {
		return "requests", q.overloaded(0, "%d requests are waiting, as many as may (queue.maxRequests)", l.requests)
	}
	if l.bytes+w.bytes > o.MaxQueueBytes {
		return "bytes", q.overloaded(0, "%d bytes are waiting and the request has %d; %d may wait (queue.maxBytes)", l.bytes, w.bytes, o.MaxQueueBytes)
	}
	if w.deadline.IsZero() {
		return "", nil
	}
	left := w.deadline.Sub(w.queued)
	if need := q.predict(w); need > left {
		return "deadline", q.overloaded(need-left, "a response would take %s, the deadline is in %s", need.Round(time.Microsecond), left.Round(time.Microsecond))
	}
	return "", nil
}

// overloaded returns the error of a refused request with the time after which a
// retry may succeed: after, or, when that is 0, when what waits now has been run.
func (q *Queue) overloaded(after time.Duration, format string, args ...any) error {
	if after == 0 {
		runs := ceil(q.waiting.rows(len(q.waiting.levels)-1), q.capacity())
		after = q.backlog(runs, time.Now())
	}
	return &fault.Error{Code: fault.Overloaded, Err: fmt.Errorf(format, args...), RetryAfter: max(after, minRetryAfter)}
}

// withdraw takes a cancelled request out and returns where it was: in the queue or
// in a batch, or "" when it has a run of its own or its response is there. A request
// leaves a batch only once its inputs are copied.
func (q *Queue) withdraw(w *waiter) (where string) {
	q.mu.Lock()
	if w.single == nil && w.batch == nil {
		q.waiting.remove(w)
		q.observer.Depth(q.waiting.requests, q.waiting.bytes)
		q.signalDrained()
		q.mu.Unlock()
		return "queue"
	}
	b := w.batch
	q.mu.Unlock()
	if b == nil {
		return ""
	}
	<-b.copied
	return q.leaveBatch(w)
}

// leaveBatch takes w out of its batch unless that is done already. The run of a
// batch that every caller has left is cancelled.
func (q *Queue) leaveBatch(w *waiter) (where string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-w.done:
		return ""
	default:
	}
	w.canceled = true
	w.batch.active--
	if w.batch.active == 0 {
		w.batch.cancel(context.Cause(w.ctx))
		if i := w.batch.instance; i != nil {
			q.setLate(i)
		}
	}
	return "run"
}

// signalDrained wakes Close when nothing is left.
func (q *Queue) signalDrained() {
	if q.closed && q.waiting.requests == 0 && len(q.idle) == len(q.instances) {
		q.drained.Broadcast()
	}
}
