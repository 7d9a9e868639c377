package batch

import (
	"slices"
	"time"

	"slipway/server/tensor"
)

// dispatch starts what waits on idle instances.
func (q *Queue) dispatch(now time.Time) {
	for len(q.idle) > 0 && q.waiting.requests > 0 {
		members, wait := q.selectRun(now)
		if len(members) == 0 {
			if wait > 0 {
				q.timer.Reset(wait)
			}
			return
		}
		rows := 0
		for _, w := range members {
			q.waiting.remove(w)
			rows += w.rows
		}
		q.observer.Depth(q.waiting.requests, q.waiting.bytes)
		i := q.take(rows, now)
		if q.waiting.requests > 0 {
			q.estimate.full.add(float64(rows))
		}
		q.runOn(i, members, now)
		clear(q.selected) // the scratch must not keep requests alive
	}
}

// runOn makes i run the only member, or all in a batch.
func (q *Queue) runOn(i *instance, members []*waiter, now time.Time) {
	if len(members) > 1 {
		b := newBatch(slices.Clone(members), make(chan struct{}))
		q.start(i, func() { q.runBatch(b, i) })
		return
	}
	w := members[0]
	w.single = &single{queue: q, request: w.Request, instance: i, rows: w.rows, queued: w.queued, started: now, done: w.done}
	q.start(i, func() { w.single.run(w.ctx) })
}

// delayExpired runs when a batch has waited for more as long as it may.
func (q *Queue) delayExpired() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dispatch(time.Now())
}

// take makes an idle instance busy.
func (q *Queue) take(rows int, now time.Time) *instance {
	last := len(q.idle) - 1
	i := q.idle[last]
	q.idle = q.idle[:last]
	i.started, i.rows = now, rows
	return i
}

// ready reports whether that many rows need not wait for more.
func (q *Queue) ready(rows int) bool {
	o := &q.options
	return q.timer == nil || q.closed || rows >= q.fullRows || slices.Contains(o.PreferredBatchSizes, rows) ||
		q.waiting.requests >= o.MaxQueueRequests || q.waiting.bytes >= o.MaxQueueBytes
}

// selectRun returns the requests of the next run, or none and how long they may
// wait for more. Cancelled requests are skipped; their callers withdraw them.
func (q *Queue) selectRun(now time.Time) (members []*waiter, wait time.Duration) {
	members = q.selected[:0]
	rows, preferred, full := 0, 0, false
	due := now.Add(q.options.MaxQueueDelay)
	for w := range q.waiting.all() {
		if w.ctx.Err() != nil {
			continue
		}
		if len(members) > 0 && (w.Alone != nil || !q.compatible(members[0].Inputs, w.Inputs)) {
			due = q.latestStart(due, w, max(rows, w.rows), 2) // it runs after this batch
			continue
		}
		if len(members) > 0 && rows+w.rows > q.limit {
			full = true
			continue
		}
		members = append(members, w)
		rows += w.rows
		if w.Alone != nil {
			q.selected = members
			return members, 0
		}
		due = q.latestStart(due, w, rows, 1)
		if slices.Contains(q.options.PreferredBatchSizes, rows) {
			preferred = len(members)
		}
		if rows >= q.limit {
			break
		}
	}
	q.selected = members
	switch {
	case preferred > 0:
		return members[:preferred], 0
	case full || q.ready(rows) || !due.After(now):
		return members, 0
	}
	return nil, due.Sub(now)
}

// latestStart returns due, or an earlier time: when w has waited long enough, or
// when that many runs of that many rows must begin so that it meets its deadline.
func (q *Queue) latestStart(due time.Time, w *waiter, rows, runs int) time.Time {
	if q.timer == nil {
		return due
	}
	if at := w.queued.Add(q.options.MaxQueueDelay); at.Before(due) {
		due = at
	}
	if w.deadline.IsZero() {
		return due
	}
	if q.estimate.rows.count == 0 {
		return w.queued // nobody knows how long the run will take
	}
	need := q.estimate.withMargin(time.Duration(runs)*q.estimate.runTime(rows), rows, runs)
	if at := w.deadline.Add(-need); at.Before(due) {
		due = at
	}
	return due
}

// compatible reports whether two requests can share a run.
func (q *Queue) compatible(a, b []*tensor.Tensor) bool {
	for i := range a {
		if i >= len(b) || !tensor.Agree(a[i], b[i], q.inputAxis(i)) {
			return false
		}
	}
	return len(a) == len(b)
}
