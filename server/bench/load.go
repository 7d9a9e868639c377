package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Load is one point of a sweep: a closed loop when Concurrency is set, else an
// open one at Rate.
type Load struct {
	Concurrency int
	Rate        float64
	Poisson     bool // arrivals at random, else evenly spaced
	Seed        uint64
	Warmup      time.Duration // asked but not counted
	Duration    time.Duration
	// Progress, when not nil, is told now and then how many calls have ended.
	Progress func(elapsed time.Duration, calls uint64)
}

// maxConnections of an open loop. Questions that are due beyond it wait, and
// their wait counts.
const maxConnections = 2048

// Run puts the load on what dial connects to. A cancelled ctx ends it early,
// with what was measured until then.
func (l Load) Run(ctx context.Context, dial Dial) (Point, error) {
	if l.Concurrency > 0 {
		return l.closed(ctx, dial)
	}
	return l.open(ctx, dial)
}

// closed keeps as many callers busy as Concurrency says.
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
					return // cut off, not failed
				}
				r.add(sent, sent, done, o)
				pause(work, o)
				sent = time.Now()
			}
		})
	}
	watched := l.watch(work, r)
	workers.Wait()
	stop()
	<-watched
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

// open sends when the schedule says, whether the server keeps up or not.
func (l Load) open(ctx context.Context, dial Dial) (Point, error) {
	first, err := dial()
	if err != nil {
		return Point{}, fmt.Errorf("connect: %w", err)
	}
	r := newRecorder(l)
	pool := &pool{ctx: ctx, dial: dial, record: r.add, end: r.end, due: make(chan time.Time, 1<<16)}
	pool.start(first)
	watching, stop := context.WithCancel(ctx)
	watched := l.watch(watching, r)
	next := arrivals(r.begin.Add(-l.Warmup), l.Rate, l.Poisson, l.Seed)
	for due := next(); due.Before(r.end) && sleepUntil(ctx, due); due = next() {
		pool.ask(due)
	}
	unsent := pool.finish()
	stop()
	<-watched
	p := r.point()
	p.Rate, p.Lag, p.Unsent = l.Rate, r.lag.Quantile(.99).Seconds(), unsent
	return p, nil
}

// watch tells Progress until ctx is done.
func (l Load) watch(ctx context.Context, r *recorder) (done chan struct{}) {
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

// arrivals gives the times at which questions are due, one after the other.
func arrivals(start time.Time, rate float64, poisson bool, seed uint64) func() time.Time {
	random := rand.New(rand.NewPCG(seed, 1))
	var at float64 // seconds from start
	count := 0
	return func() time.Time {
		due := start.Add(time.Duration(at * float64(time.Second)))
		count++
		if poisson {
			at += random.ExpFloat64() / rate
		} else {
			at = float64(count) / rate // no error adds up
		}
		return due
	}
}

// pool has a caller for each question that is under way at once.
type pool struct {
	ctx     context.Context // one run's
	dial    Dial
	record  func(due, sent, done time.Time, o Outcome)
	end     time.Time // what is due and not sent by then never is
	due     chan time.Time
	pending atomic.Int64 // due and not yet answered
	unsent  atomic.Uint64
	size    int64
	workers sync.WaitGroup
}

// ask hands a question to an idle caller, or to a new one.
func (p *pool) ask(due time.Time) {
	if p.pending.Add(1) > p.size && p.size < maxConnections {
		p.start(nil)
	}
	p.due <- due
}

// start adds a caller, which connects when c is nil. Its connecting is part of
// its first question's time, as it is for a client.
func (p *pool) start(c Caller) {
	p.size++
	p.workers.Go(func() {
		if c == nil {
			var err error
			if c, err = p.dial(); err != nil {
				c = broken{err}
			}
		}
		defer c.Close()
		abort := context.AfterFunc(p.ctx, func() { c.Close() })
		defer abort()
		for due := range p.due {
			sent := time.Now()
			if p.ctx.Err() != nil || sent.After(p.end) {
				p.unsent.Add(1)
				continue
			}
			o := c.Call()
			if p.ctx.Err() == nil {
				p.record(due, sent, time.Now(), o)
			}
			p.pending.Add(-1)
		}
	})
}

// finish waits for what is under way and says how many questions were left:
// none while there were callers to spare, for then they were due at the very end.
func (p *pool) finish() (unsent uint64) {
	close(p.due)
	p.workers.Wait()
	if p.size < maxConnections {
		return 0
	}
	return p.unsent.Load()
}

// broken is a caller whose connection was refused.
type broken struct{ err error }

func (b broken) Call() Outcome { return failed(b.err) }
func (broken) Close() error    { return nil }

func closeAll(callers []Caller) {
	for _, c := range callers {
		c.Close() // the answers are in; how a connection ends is no result
	}
}
