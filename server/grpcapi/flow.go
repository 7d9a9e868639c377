package grpcapi

import (
	"context"
	"sync"
	"time"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/fault"
)

const (
	// callBytes is what a call holds at least: grpc's stream, its goroutine, headers.
	callBytes = 16 << 10
	// frameBytes is what a DATA frame holds beside its data. Without it, frames of one
	// byte would take a hundred times what they are charged.
	frameBytes = 128

	// largeMessage is how much of a message has arrived when grpc must begin to receive
	// it: a client may send 64 KiB before that.
	largeMessage = 32 << 10
	// messageTime is how long a message may take to arrive.
	messageTime = time.Minute
	// streamIdle is how long a stream may be silent.
	streamIdle = 10 * time.Minute
	// mostAhead is what a client may send of a stream before it is received: grpc's
	// window grows up to that.
	mostAhead = 16 << 20
	// writeStall is how long a client may read nothing of a response.
	writeStall = 30 * time.Second
)

// flow is what a call holds of its connection: what has arrived and is not decoded,
// and what of its responses is not written. Both are charged. A nil flow is refused
// nothing.
type flow struct {
	conn   *conn // nil behind an HTTP server
	id     uint32
	stream bool // the call may have many messages
	charge *admission.Charge
	cancel context.CancelFunc
	ctx    context.Context //nolint:containedctx // the call's, to see that it has ended
	stop   context.Context //nolint:containedctx // ended when the server stops
	limit  int64           // most bytes that may have arrived and not been decoded
	idle   time.Duration   // how long the call may wait for a message to begin

	wake chan struct{} // has a token when one of the following has changed for a handler that waits

	mu       sync.Mutex
	reason   error // why it must end
	complete bool  // all has arrived
	unread   int64
	queued   int64     // of responses that are not written
	unsent   int64     // of those that grpc has
	waiting  bool      // the handler waits for a message
	partial  bool      // and grpc does, for the rest of one
	since    time.Time // when it began to wait, or when the message began to arrive
	latest   time.Time // when something of a message arrived last
	written  time.Time // when something was written last
	handled  bool      // a handler has begun
	finished bool      // and returned
}

type flowKey struct{}

// flowOf returns the flow of a call's context, which may be nil.
func flowOf(ctx context.Context) *flow {
	f, _ := ctx.Value(flowKey{}).(*flow)
	return f
}

// newFlow returns the flow of a call, and its context. It is refused when there is
// no memory for one more call.
func (a *API) newFlow(ctx context.Context, method string) (*flow, context.Context, error) {
	f := &flow{
		charge: a.Memory.Charge(), stop: a.Stopping(), limit: a.messageLimit(method) + messageHeader, idle: messageTime,
		wake: make(chan struct{}, 1),
	}
	if err := f.charge.Add(admission.Receive, callBytes); err != nil {
		return nil, ctx, err
	}
	if isStream[method] {
		f.stream, f.idle, f.limit = true, streamIdle, f.limit+mostAhead
	}
	ctx, f.cancel = context.WithCancel(ctx)
	f.ctx = context.WithValue(ctx, flowKey{}, f)
	return f, f.ctx, nil
}

// arrived charges a DATA frame. When it does not fit the call ends.
func (f *flow) arrived(length int64, last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.complete = f.complete || last
	f.latest = time.Now()
	if f.unread == 0 {
		f.since = f.latest
	}
	f.unread += length
	if f.waiting && f.worthReceiving() {
		f.notify()
	}
	err := f.charge.Add(admission.Receive, length+frameBytes)
	if err == nil && f.unread > f.limit {
		err = fault.New(fault.TooLarge, "the message is longer than %d bytes", f.limit)
	}
	if err != nil {
		f.end(err)
	}
}

// end ends the call. A handler that waits for a message to begin, or has not begun,
// returns the reason; another one is interrupted. The lock is held.
func (f *flow) end(reason error) {
	if f.reason != nil {
		return
	}
	f.reason = reason
	f.notify()
	if f.handled && (!f.waiting || f.partial) {
		f.cancel()
	}
}

var errStopping = fault.New(fault.Unavailable, "the server is shutting down; call again")

func (f *flow) notify() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// worthReceiving reports whether grpc must receive, so that the client may send the
// rest, or can without waiting for long. The lock is held.
func (f *flow) worthReceiving() bool {
	return f.complete || f.unread >= largeMessage || f.stream && f.unread > 0
}

// wait waits until a message is worth receiving, or the call has ended. It reports
// whether the message is a large one of which more is to arrive.
func (f *flow) wait() (large bool, err error) {
	f.mu.Lock()
	f.handled, f.waiting, f.since = true, true, time.Now()
	var stopping <-chan struct{}
	if f.stream {
		stopping = f.stop.Done()
	}
	for f.reason == nil && !f.worthReceiving() && f.ctx.Err() == nil {
		f.mu.Unlock()
		select {
		case <-f.wake:
		case <-f.ctx.Done():
		case <-stopping:
			stopping = nil
			f.endSilent()
		}
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	large = !f.complete && f.unread >= largeMessage
	f.partial = f.stream && !large
	return large, f.reason
}

// endSilent ends a stream on which nothing has arrived, since the server stops.
func (f *flow) endSilent() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reason == nil && f.unread == 0 {
		f.reason = errStopping
	}
}

// received notes that the handler waits no more.
func (f *flow) received() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting, f.partial = false, false
}

// why returns why the call must end, or nil.
func (f *flow) why() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reason
}

// decoded gives back a message of that many bytes.
func (f *flow) decoded(length int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unread = max(0, f.unread-length)
	if f.unread == 0 {
		_ = f.charge.Set(admission.Receive, callBytes) // less than it was
		return
	}
	f.charge.Sub(admission.Receive, length)
}

// finish gives back what has arrived; what is not written stays charged.
func (f *flow) finish() {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.finished, f.waiting = true, false
	_ = f.charge.Set(admission.Receive, 0) // less than it was
	last := f.queued == 0
	f.mu.Unlock()
	if last {
		f.release()
	}
}

// release must be called without the lock: a connection locks its flows.
func (f *flow) release() {
	f.charge.Release()
	if f.conn != nil {
		f.conn.end(f)
	}
}

// abandoned reports whether the call has ended and no handler was run.
func (f *flow) abandoned() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.handled && f.ctx.Err() != nil
}

// sweep ends the call if its message is late. It reports whether the client has
// read nothing of a response for too long.
func (f *flow) sweep(now time.Time) (stuck bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	limit, stall := f.idle, writeStall
	if f.unread > 0 {
		limit = messageTime
	}
	if f.waiting && now.Sub(f.since) > limit {
		f.end(fault.New(fault.DeadlineExceeded, "no message has arrived for %s", limit))
	}
	if f.stop.Err() != nil {
		stall = api.StopStall
		if f.waiting && now.Sub(f.since) > stall && now.Sub(f.latest) > stall {
			f.end(errStopping)
		}
	}
	return f.unsent > 0 && now.Sub(f.written) > stall
}
