package batch

import (
	"context"
	"slices"
	"time"

	"slipway/server/tensor"
)

const (
	// watchDelay is how long a caller waits for its run without looking whether it
	// should leave. Most runs are over by then, and a context that nobody waits for
	// needs no timer (package serving).
	watchDelay = time.Millisecond
	// grace is how long a run that is to end may take until its caller leaves: most
	// end at their next node.
	grace = 250 * time.Millisecond
)

// single is a run for one request.
type single struct {
	queue           *Queue
	request         Request
	instance        *instance
	rows            int
	queued, started time.Time

	done     chan struct{} // closed when the following are set
	skipped  bool          // the caller had gone before the run began
	outputs  []tensor.Named
	err      error
	finished time.Time

	// Guarded by the queue.
	over  bool     // nothing reads the request's inputs any more
	after []func() // to be called then
}

// run runs the model, unless the caller has gone, and hands the instance on.
func (s *single) run(ctx context.Context) {
	q := s.queue
	if s.skipped = ctx.Err() != nil; !s.skipped {
		q.observer.Waited(s.started.Sub(s.queued))
		inputs := s.request.Inputs
		if s.request.Alone != nil {
			inputs = slices.Concat(inputs, s.request.Alone)
		}
		s.outputs, s.err = q.runSafely(ctx, inputs, s.request.Outputs)
	}
	s.finished = time.Now()
	q.mu.Lock()
	s.over = true
	if !s.skipped {
		q.learn(s.rows, s.started, s.finished, s.err)
	}
	q.release(s.instance, s.finished)
	q.mu.Unlock()
	if !s.skipped {
		q.observer.Ran(s.rows, 1, s.finished.Sub(s.started), s.err)
	}
	close(s.done)
	for _, f := range s.after { // nobody adds to it any more
		f()
	}
}

// response waits for the run. A run that does not end when it should is left behind.
func (s *single) response(ctx context.Context) (Response, error) {
	switch late := s.wait(ctx); {
	case late:
		return Response{}, &Late{err: s.queue.canceled(ctx, "run"), run: s}
	case s.skipped:
		return Response{}, s.queue.canceled(ctx, "queue")
	case s.err != nil && ctx.Err() != nil:
		return Response{}, s.queue.canceled(ctx, "run")
	case s.err != nil:
		return Response{}, s.err
	}
	return Response{Outputs: s.outputs, Queued: s.queued, Started: s.started, Finished: s.finished, BatchSize: s.rows}, nil
}

// wait waits for the end of the run, or until the caller must leave. It reports whether
// the run goes on.
func (s *single) wait(ctx context.Context) (late bool) {
	select {
	case <-s.done:
		return false
	default:
	}
	timer, ok := s.queue.timers.Get().(*time.Timer)
	if ok {
		timer.Reset(watchDelay)
	} else {
		timer = time.NewTimer(watchDelay)
	}
	defer s.queue.timers.Put(timer)
	select {
	case <-s.done:
		timer.Stop()
		return false
	case <-timer.C:
	}
	select {
	case <-s.done:
		return false
	case <-ctx.Done():
		return s.leave()
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
