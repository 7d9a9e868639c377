package batch

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// Run runs the model once; nil outputs means all. It must obey ctx.
type Run func(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error)

// Options of a queue.
type Options struct {
	Instances           int           // concurrent runs, at least 1
	MaxBatchSize        int           // rows of one run; below 2: no batching
	PreferredBatchSizes []int         // rows that run at once, however long MaxQueueDelay is
	MaxQueueDelay       time.Duration // how long a batch that is not full may wait for more; 0: never
	MaxQueueRequests    int           // waiting, not counting the running; 0: none may wait
	MaxQueueBytes       int64         // of the inputs of what waits; 0: none may wait
	PriorityLevels      int           // 0 or 1: one queue; 1 is the highest priority
	DefaultPriority     int           // of a Request with Priority 0; 0: the lowest

	InputAxes  []int          // the axis of each input's rows; nil: the first of all
	OutputAxes map[string]int // the axis of an output's rows, if that is not the first
}

// Request is one inference request.
type Request struct {
	Inputs   []*tensor.Tensor // in the model's order
	Alone    []*tensor.Tensor // follow Inputs in the run, which no other request shares; nil: none
	Outputs  []string         // nil: all
	Priority int              // 1 is the highest, 0 the default; without levels any will do
}

// Response is the model's outputs for one request, and when its run was queued,
// started and finished.
type Response struct {
	Outputs                   []tensor.Named // in the order of Request.Outputs
	Queued, Started, Finished time.Time
	BatchSize                 int // rows of the run; 1 without batching, where the first axis means nothing
}

// Observer is notified of what happens. Its methods are called from many
// goroutines, Depth while the queue is locked: they must be quick and must not
// call the queue.
type Observer interface {
	Depth(requests int, bytes int64)                       // what waits now
	Waited(time.Duration)                                  // a request left the queue for a run
	Ran(rows, requests int, took time.Duration, err error) // a run ended
	Rejected(reason string)                                // "requests", "bytes", "deadline"
	Canceled(where string)                                 // cancelled or late: in the "queue", in the "run"
	BatchingRefused(err error)                             // once: from now on each request runs by itself
	Late(runs int)                                         // runs that go on although nobody waits for them
}

// Queue holds the requests of one model until an instance runs them.
type Queue struct {
	run      Run
	options  Options
	observer Observer
	workers  sync.WaitGroup // of the instances
	timers   sync.Pool      // of callers

	mu        sync.Mutex
	drained   sync.Cond // once closed: nothing waits or runs any more
	closed    bool
	refused   bool // batches are no longer formed
	limit     int  // rows of one run
	fullRows  int  // rows that need not wait for more
	instances []instance
	idle      []*instance
	waiting   waitList
	estimate  estimate
	timer     *time.Timer // fires when the batch that waits for more must run; nil without delay
	selected  []*waiter   // scratch of selectRun
}

// instance is the right to make one run at a time, on a goroutine of its own: native
// code does not always end when it should. The goroutine is kept, because a new one's
// stack has to grow first; that was 3 % of a tiny request (perf, one processor).
type instance struct {
	work    chan func() // of whoever has the instance; nil before the first run
	started time.Time   // of the run; zero when idle
	rows    int
	late    time.Time // since when nobody waits for the run any more; zero: somebody does
}

// waiter is a request that found no idle instance.
type waiter struct {
	Request
	ctx      context.Context
	deadline time.Time // zero: none
	queued   time.Time
	level    int
	rows     int
	bytes    int64
	done     chan struct{} // closed when its run has ended

	next, previous *waiter // in the waitList

	// Both are nil while it waits. Guarded by the queue until it is done.
	single   *single
	batch    *batch
	from     int // its first row in batch
	canceled bool
}

// New makes a queue; Close ends it. The observer must not be nil.
func New(run Run, o Options, observer Observer) *Queue {
	o.Instances, o.MaxBatchSize, o.PriorityLevels = max(o.Instances, 1), max(o.MaxBatchSize, 1), max(o.PriorityLevels, 1)
	if o.DefaultPriority < 1 || o.DefaultPriority > o.PriorityLevels {
		o.DefaultPriority = o.PriorityLevels
	}
	q := &Queue{
		run: run, options: o, fullRows: o.MaxBatchSize, observer: observer,
		limit: o.MaxBatchSize, instances: make([]instance, o.Instances), waiting: newWaitList(o.PriorityLevels),
	}
	largest := 0
	for _, size := range o.PreferredBatchSizes {
		if size <= o.MaxBatchSize {
			largest = max(largest, size)
		}
	}
	if largest > 0 {
		q.fullRows = largest
	}
	for i := range q.instances {
		q.idle = append(q.idle, &q.instances[i])
	}
	q.drained.L = &q.mu
	if q.batching() && o.MaxQueueDelay > 0 {
		q.timer = time.AfterFunc(o.MaxQueueDelay, q.delayExpired) // finds nothing the first time
	}
	return q
}

// Do runs r and returns its response, or why there is none, at the latest soon
// after ctx is done. When it has returned nobody reads the memory of r.Inputs any
// more, unless the error is a Late.
func (q *Queue) Do(ctx context.Context, r Request) (Response, error) {
	rows, level, err := q.check(r)
	if err != nil {
		return Response{}, err
	}
	if ctx.Err() != nil {
		return Response{}, q.canceled(ctx, "queue")
	}
	now := time.Now()
	if i := q.tryAcquire(rows, now); i != nil {
		s := &single{queue: q, request: r, instance: i, rows: rows, queued: now, started: now, done: make(chan struct{})}
		q.start(i, func() { s.run(ctx) })
		return s.response(ctx)
	}
	w := &waiter{Request: r, ctx: ctx, queued: now, level: level, rows: rows, bytes: size(r.Inputs) + size(r.Alone), done: make(chan struct{})}
	w.deadline, _ = ctx.Deadline()
	if err := q.enqueue(w); err != nil {
		return Response{}, err
	}
	select {
	case <-w.done:
	case <-ctx.Done():
		if where := q.withdraw(w); where != "" {
			return Response{}, q.canceled(ctx, where)
		}
	}
	if w.single != nil {
		return w.single.response(ctx)
	}
	return q.response(w)
}

// Close admits nothing more and waits for what is queued and running.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.dispatch(time.Now())
	for q.waiting.requests > 0 || len(q.idle) < len(q.instances) {
		q.drained.Wait()
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	for i := range q.instances {
		if q.instances[i].work != nil {
			close(q.instances[i].work)
			q.instances[i].work = nil
		}
	}
	q.mu.Unlock()
	q.workers.Wait()
}

// start makes an instance work. Only who has taken it may call that, and it does not
// wait: what the worker did before is over, or all but over.
//
// The worker lets others go on between two runs. One that is never idle kept the only
// processor from them: 1 in 1,000 of 16 callers of a tiny model waited for 20 ms and not
// 4, and 64 callers had batches of 4 rows and not 27 (scripts/bench -run TestBatching).
func (q *Queue) start(i *instance, work func()) {
	if i.work == nil {
		i.work = make(chan func(), 1)
		q.workers.Go(func() {
			for do := range i.work {
				do()
				runtime.Gosched()
			}
		})
	}
	i.work <- work
}

func (q *Queue) batching() bool { return q.options.MaxBatchSize > 1 }

// inputAxis returns the axis of an input's rows.
func (q *Queue) inputAxis(input int) int {
	if input < len(q.options.InputAxes) {
		return q.options.InputAxes[input]
	}
	return 0
}

// canceled counts a request whose caller has gone and returns its error.
func (q *Queue) canceled(ctx context.Context, where string) error {
	q.observer.Canceled(where)
	code := fault.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = fault.DeadlineExceeded
	}
	return fault.New(code, "the request left the %s: %w", where, context.Cause(ctx))
}
