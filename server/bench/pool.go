package bench

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// arrivals returns a function that returns the times at which requests are due, one after the other.
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
			at = float64(count) / rate // rounding does not add up
		}
		return due
	}
}

// maxConnections of an open loop. Requests that are due beyond it wait, and
// their wait counts.
const maxConnections = 2048

// pool has a caller for each request in flight.
type pool struct {
	ctx     context.Context // of one run
	dial    Dial
	record  func(due, sent, done time.Time, o Outcome)
	end     time.Time // after which nothing is sent, even if it was due before
	due     chan time.Time
	pending atomic.Int64 // due and without a response
	unsent  atomic.Uint64
	size    int64
	workers sync.WaitGroup
}

// send has an idle caller send the request, or a new one.
func (p *pool) send(due time.Time) {
	if p.pending.Add(1) > p.size && p.size < maxConnections {
		p.start(nil)
	}
	p.due <- due
}

// start adds a caller, which connects when c is nil. The latency of its first request
// includes the connecting, as it does for a client.
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

// finish waits for the requests in flight and returns how many were never sent. It counts
// none if more callers could have been started: then they were due at the very end.
func (p *pool) finish() (unsent uint64) {
	close(p.due)
	p.workers.Wait()
	if p.size < maxConnections {
		return 0
	}
	return p.unsent.Load()
}

// broken is a caller that could not connect.
type broken struct{ err error }

func (b broken) Call() Outcome { return failed(b.err) }
func (broken) Close() error    { return nil }
