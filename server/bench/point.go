package bench

import (
	"sync"
	"sync/atomic"
	"time"
)

// Point is what was measured at one load. Durations are in seconds in JSON and CSV.
type Point struct {
	Concurrency int     `json:"concurrency,omitempty"` // of a closed loop
	Rate        float64 `json:"rate,omitempty"`        // of an open loop, requests a second
	Seconds     float64 `json:"seconds"`               // that were measured, after the warm-up
	Requests    uint64  `json:"asked"`                 // calls that are counted
	Responses   uint64  `json:"answered"`              // of them, those with a right response
	Throughput  float64 `json:"throughput"`            // right responses a second
	Latency     Latency `json:"latency"`               // of the right responses
	// Failures by status, such as 429 or timeout.
	Failures map[string]Failure `json:"failures,omitempty"`
	// Lag is how late an open loop sent, at p99: above a few milliseconds
	// the generator itself was the limit.
	Lag float64 `json:"lag,omitempty"`
	// Unsent is how many requests of an open loop were due while every connection waited for a response.
	Unsent uint64 `json:"unsent,omitempty"`
}

// Latency describes the distribution of durations. An open loop counts from when a
// request was due, not from when it could be sent.
type Latency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// Failure sums up the calls that ended with one status.
type Failure struct {
	Count   uint64  `json:"count"`
	Latency Latency `json:"latency"`
	Example string  `json:"example"` // the error of the first one
}

func latency(h *Histogram) Latency {
	return Latency{
		Mean: h.Mean().Seconds(), P50: h.Quantile(.5).Seconds(), P90: h.Quantile(.9).Seconds(),
		P99: h.Quantile(.99).Seconds(), P999: h.Quantile(.999).Seconds(), Max: h.Max().Seconds(),
	}
}

// recorder counts calls from many goroutines: of a closed loop those that end
// between begin and end, of an open one those that are due then, however late
// they end.
type recorder struct {
	begin, end time.Time
	open       bool
	last       atomic.Int64 // when the latest of an open loop ended, from begin
	answered   Histogram
	lag        Histogram
	calls      atomic.Uint64 // since the start of the warm-up
	mu         sync.Mutex
	failures   map[string]*failures
}

type failures struct {
	latency Histogram
	example string
}

func newRecorder(l Load) *recorder {
	begin := time.Now().Add(l.Warmup)
	return &recorder{begin: begin, end: begin.Add(l.Duration), open: l.Concurrency == 0, failures: map[string]*failures{}}
}

// add counts a call that was due, sent and done at these times.
func (r *recorder) add(due, sent, done time.Time, o Outcome) {
	r.calls.Add(1)
	counts := done
	if r.open {
		counts = due
	}
	if counts.Before(r.begin) || counts.After(r.end) {
		return
	}
	r.ended(done)
	r.lag.Add(sent.Sub(due))
	if o.Status == StatusOK {
		r.answered.Add(done.Sub(due))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.failures[o.Status]
	if f == nil {
		f = &failures{example: o.Detail}
		r.failures[o.Status] = f
	}
	f.latency.Add(done.Sub(due))
}

// ended keeps the latest of these times.
func (r *recorder) ended(done time.Time) {
	at := int64(done.Sub(r.begin))
	for last := r.last.Load(); at > last && !r.last.CompareAndSwap(last, at); last = r.last.Load() {
	}
}

// elapsed returns how long was measured: less than planned when the run was stopped,
// more when an open loop's last responses came late.
func (r *recorder) elapsed() time.Duration {
	passed := min(max(time.Since(r.begin), 0), r.end.Sub(r.begin))
	if r.open {
		return max(passed, time.Duration(r.last.Load()))
	}
	return passed
}

// point returns the sums.
func (r *recorder) point() Point {
	elapsed := r.elapsed()
	p := Point{Seconds: elapsed.Seconds(), Responses: r.answered.Count(), Latency: latency(&r.answered)}
	p.Requests = p.Responses
	for status, f := range r.failures {
		if p.Failures == nil {
			p.Failures = map[string]Failure{}
		}
		n := f.latency.Count()
		p.Failures[status] = Failure{Count: n, Latency: latency(&f.latency), Example: f.example}
		p.Requests += n
	}
	if elapsed > 0 {
		p.Throughput = float64(p.Responses) / elapsed.Seconds()
	}
	return p
}
