package batch

import (
	"iter"
	"slices"
	"time"

	"slipway/server/tensor"
)

// line is what waits: a list for each priority, oldest first.
type line struct {
	levels   []level
	requests int
	bytes    int64
}

type level struct {
	first, last *waiter
	rows        int
}

func newLine(levels int) line { return line{levels: make([]level, levels)} }

func (l *line) push(w *waiter) {
	at := &l.levels[w.level]
	w.previous = at.last
	if at.last == nil {
		at.first = w
	} else {
		at.last.next = w
	}
	at.last = w
	at.rows += w.rows
	l.requests++
	l.bytes += w.bytes
}

func (l *line) remove(w *waiter) {
	at := &l.levels[w.level]
	if w.previous == nil {
		at.first = w.next
	} else {
		w.previous.next = w.next
	}
	if w.next == nil {
		at.last = w.previous
	} else {
		w.next.previous = w.previous
	}
	w.next, w.previous = nil, nil
	at.rows -= w.rows
	l.requests--
	l.bytes -= w.bytes
}

// all is what waits in the order that it will be served.
func (l *line) all() iter.Seq[*waiter] {
	return func(yield func(*waiter) bool) {
		for i := range l.levels {
			for w := l.levels[i].first; w != nil; w = w.next {
				if !yield(w) {
					return
				}
			}
		}
	}
}

// rows is what waits of the priorities down to, and with, the given one.
func (l *line) rows(lowest int) int {
	sum := 0
	for i := range lowest + 1 {
		sum += l.levels[i].rows
	}
	return sum
}

// dispatch hands what waits to idle instances.
func (q *Queue) dispatch(now time.Time) {
	for len(q.idle) > 0 && q.waiting.requests > 0 {
		members, wait := q.form(now)
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
		q.start(i, members)
		clear(q.forming) // a request must not be kept for longer than it is there
	}
}

// start hands i to the only member, or to a goroutine that runs all of them.
func (q *Queue) start(i *instance, members []*waiter) {
	if len(members) > 1 {
		b := newBatch(slices.Clone(members), make(chan struct{}))
		q.batches.Go(func() { q.together(b, i) })
		return
	}
	members[0].instance = i
	members[0].turn <- struct{}{}
}

// due runs when a batch has waited for more for as long as it may.
func (q *Queue) due() {
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

// ready tells whether so many rows need not wait for more.
func (q *Queue) ready(rows int) bool {
	o := &q.options
	return q.timer == nil || q.closed || rows >= q.enough || slices.Contains(o.PreferredBatchSizes, rows) ||
		q.waiting.requests >= o.MaxQueueRequests || q.waiting.bytes >= o.MaxQueueBytes
}

// form chooses the requests of the next run. None and a time mean that they
// may wait so long for more. Callers that have gone are passed over; they leave by
// themselves.
func (q *Queue) form(now time.Time) (members []*waiter, wait time.Duration) {
	members = q.forming[:0]
	rows, preferred, full := 0, 0, false
	due := now.Add(q.options.MaxQueueDelay)
	for w := range q.waiting.all() {
		if w.ctx.Err() != nil {
			continue
		}
		if len(members) > 0 && !agree(members[0].Inputs, w.Inputs) {
			due = q.hurry(due, w, max(rows, w.rows), 2) // it runs after this batch
			continue
		}
		if len(members) > 0 && rows+w.rows > q.limit {
			full = true
			continue
		}
		members = append(members, w)
		rows += w.rows
		due = q.hurry(due, w, rows, 1)
		if slices.Contains(q.options.PreferredBatchSizes, rows) {
			preferred = len(members)
		}
		if rows >= q.limit {
			break
		}
	}
	q.forming = members
	switch {
	case preferred > 0:
		return members[:preferred], 0
	case full || q.ready(rows) || !due.After(now):
		return members, 0
	}
	return nil, due.Sub(now)
}

// hurry is due, or earlier: when w has waited long enough, or when so many runs
// of so many rows must begin to answer it in time.
func (q *Queue) hurry(due time.Time, w *waiter, rows, runs int) time.Time {
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
	need := q.estimate.margin(time.Duration(runs)*q.estimate.run(rows), rows, runs)
	if at := w.deadline.Add(-need); at.Before(due) {
		due = at
	}
	return due
}

// agree tells whether two requests can share a run.
func agree(a, b []*tensor.Tensor) bool { return slices.EqualFunc(a, b, tensor.Agree) }
