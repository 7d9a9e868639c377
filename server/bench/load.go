package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Load is one point of a sweep: a closed loop when Concurrency is set, else an
// open one at Rate.
type Load struct {
	Concurrency int
	Rate        float64
	Poisson     bool // arrivals at random, else evenly spaced
	Seed        uint64
	Warmup      time.Duration // of calls that are not counted
	Duration    time.Duration
	// Progress, when not nil, is called several times a second with the number of calls that have ended.
	Progress func(elapsed time.Duration, calls uint64)
}

// Run puts the load on the server that dial connects to. A cancelled ctx ends it early,
// with what was measured until then.
func (l Load) Run(ctx context.Context, dial Dial) (Point, error) {
	if l.Concurrency > 0 {
		return l.closed(ctx, dial)
	}
	return l.open(ctx, dial)
}

// closed keeps Concurrency callers busy.
func (l Load) closed(ctx context.Context, dial Dial) (Point, error) {
	callers := make([]Caller, 0, l.Concurrency)
	defer func() { closeAll(callers) }()
	for range l.Concurrency {
		c, err := dial()
		if err != nil {
			return Point{}, fmt.Errorf("connect: %w", err)
		}
		callers = append(callers, c)
	}
	r := newRecorder(l)
	work, stop := context.WithDeadline(ctx, r.end)
	defer stop()
	var workers sync.WaitGroup
	for _, c := range callers {
		workers.Go(func() {
			abort := context.AfterFunc(ctx, func() { c.Close() })
			defer abort()
			for sent := time.Now(); work.Err() == nil; {
				o := c.Call()
				done := time.Now()
				if ctx.Err() != nil {
					return // the call was cancelled and has not failed
				}
				r.add(sent, sent, done, o)
				pause(work, o)
				sent = time.Now()
			}
		})
	}
	reported := l.report(work, r)
	workers.Wait()
	stop()
	<-reported
	p := r.point()
	p.Concurrency = l.Concurrency
	return p, nil
}

// pause keeps a closed loop from spinning on a server that is gone.
func pause(ctx context.Context, o Outcome) {
	if o.Status != StatusBroken {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

// open sends on schedule, whether the server keeps up or not.
func (l Load) open(ctx context.Context, dial Dial) (Point, error) {
	first, err := dial()
	if err != nil {
		return Point{}, fmt.Errorf("connect: %w", err)
	}
	r := newRecorder(l)
	pool := &pool{ctx: ctx, dial: dial, record: r.add, end: r.end, due: make(chan time.Time, 1<<16)}
	pool.start(first)
	reporting, stop := context.WithCancel(ctx)
	reported := l.report(reporting, r)
	next := arrivals(r.begin.Add(-l.Warmup), l.Rate, l.Poisson, l.Seed)
	for due := next(); due.Before(r.end) && sleepUntil(ctx, due); due = next() {
		pool.send(due)
	}
	unsent := pool.finish()
	stop()
	<-reported
	p := r.point()
	p.Rate, p.Lag, p.Unsent = l.Rate, r.lag.Quantile(.99).Seconds(), unsent
	return p, nil
}

// report calls Progress until ctx is done.
func (l Load) report(ctx context.Context, r *recorder) (done chan struct{}) {
	done = make(chan struct{})
	if l.Progress == nil {
		close(done)
		return done
	}
	began := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	go func() {
		defer close(done)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				l.Progress(l.Warmup+l.Duration, r.calls.Load())
				return
			case <-tick.C:
				l.Progress(time.Since(began), r.calls.Load())
			}
		}
	}()
	return done
}

func closeAll(callers []Caller) {
	for _, c := range callers {
		c.Close() // the responses are in: how a connection ends is no result
	}
}
