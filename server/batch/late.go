package batch

import "time"

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
	mu := &l.run.queue.mu
	mu.Lock()
	if !l.run.over {
		l.run.after = append(l.run.after, f)
		mu.Unlock()
		return
	}
	mu.Unlock()
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
