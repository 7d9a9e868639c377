package onnx

// #include "binding.h"
import "C"

import (
	"context"
	"time"
)

// watchDelay is how long a run goes unwatched. Most are over by then, and a context
// that nobody waits for needs no timer (package serving). The two together make a
// tiny model's request 7 % cheaper than context.WithDeadline and a
// context.AfterFunc for each run; either alone saves a third of that
// (go test -bench TinyPredict/tcp ./server/httpapi, with and without, in turn).
const watchDelay = time.Millisecond

// watch ends a run when its context is done, or up to watchDelay later.
type watch struct {
	options    *C.OrtRunOptions
	terminate  func()
	terminated chan struct{} // receives when terminate has returned

	ctx     context.Context //nolint:containedctx // of the current run
	delay   *time.Timer     // fires when the run has lasted for watchDelay
	unwatch func() bool     // set when delay has fired
	watched chan struct{}   // receives when unwatch is set
}

func newWatch(options *C.OrtRunOptions) *watch {
	w := &watch{options: options, terminated: make(chan struct{}, 1), watched: make(chan struct{}, 1)}
	w.terminate = func() {
		C.RunOptionsSetTerminate(options) // never fails: it sets a flag
		w.terminated <- struct{}{}
	}
	w.delay = time.AfterFunc(time.Hour, func() {
		w.unwatch = context.AfterFunc(w.ctx, w.terminate)
		w.watched <- struct{}{}
	})
	w.delay.Stop()
	return w
}

// start watches the run that begins now.
func (w *watch) start(ctx context.Context) {
	w.ctx = ctx
	w.delay.Reset(watchDelay)
}

// stop reports whether the run was ended early. Afterwards the options are good
// for another run.
func (w *watch) stop() (ended bool) {
	defer func() { w.ctx = nil }()
	if w.delay.Stop() {
		return false
	}
	<-w.watched
	if w.unwatch() {
		return false
	}
	<-w.terminated
	C.RunOptionsUnsetTerminate(w.options)
	return true
}
