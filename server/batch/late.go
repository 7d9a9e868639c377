package batch

import (
	"context"
	"sync"
	"time"

	"slipway/server/tensor"
)

// grace is how long a run that is to end may take until its caller leaves: most end
// at their next node.
const grace = 250 * time.Millisecond

// single is a run for one request. It has a goroutine of its own, since native code
// does not always look whether it should end.
type single struct {
	queue    *Queue
	request  Request
	instance *instance
	rows     int
	started  time.Time

	done     chan struct{} // closed when the following are set
	outputs  []tensor.Named
	err      error
	finished time.Time

	over bool // the run has ended; guarded by the queue

	mu    sync.Mutex
	ended bool
	after []func()
}

func (s *single) run(ctx context.Context) {
	q := s.queue
	s.outputs, s.err = q.runSafely(ctx, s.request.Inputs, s.request.Outputs)
	s.finished = time.Now()
	q.mu.Lock()
	s.over = true
	q.mu.Unlock()
	q.recordRun(s.instance, s.rows, s.started, s.finished, s.err)
	q.observer.Ran(s.rows, 1, s.finished.Sub(s.started), s.err)
	s.mu.Lock()
	s.ended = true
	after := s.after
	s.mu.Unlock()
	close(s.done)
	for _, f := range after {
		f()
	}
}

// leave waits a little for the end of a run that is to end. It reports whether the
// run goes on.
func (s *single) leave() bool {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.done:
		return false
	case <-timer.C:
	}
	s.queue.mu.Lock()
	over := s.over
	if !over {
		s.queue.setLate(s.instance)
	}
	s.queue.mu.Unlock()
	if over {
		<-s.done
	}
	return !over
}

// Late is the error of a request whose run goes on: native code did not end in time.
// The run still reads the memory of the request's inputs.
type Late struct {
	err error
	run *single
}

func (l *Late) Error() string { return l.err.Error() }

func (l *Late) Unwrap() error { return l.err }

// After calls f when the run has ended.
func (l *Late) After(f func()) {
	l.run.mu.Lock()
	if !l.run.ended {
		l.run.after = append(l.run.after, f)
		l.run.mu.Unlock()
		return
	}
	l.run.mu.Unlock()
	f()
}

// setLate notes that nobody waits for the run of an instance any more. The queue is
// locked.
func (q *Queue) setLate(i *instance) {
	if i.late.IsZero() && !i.started.IsZero() {
		i.late = time.Now()
		q.observer.Late(q.late())
	}
}

// late returns how many runs go on although nobody waits for them. The queue is
// locked.
func (q *Queue) late() (n int) {
	for i := range q.instances {
		if !q.instances[i].late.IsZero() {
			n++
		}
	}
	return n
}

// Stuck returns for how long all instances have been in runs that nobody waits for;
// 0 if one is not.
func (q *Queue) Stuck() time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var last time.Time
	for i := range q.instances {
		if q.instances[i].late.IsZero() {
			return 0
		}
		if q.instances[i].late.After(last) {
			last = q.instances[i].late
		}
	}
	return time.Since(last)
}

// Late returns how many runs go on although nobody waits for them.
func (q *Queue) Late() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.late()
}
