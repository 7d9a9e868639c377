package bench

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// coarse is how late Go's timers may fire in a process that is otherwise idle:
// Go waits in epoll, which counts in milliseconds.
const coarse = 1500 * time.Microsecond

// nap sleeps for less than coarse, some 60 microseconds too long at most. Tests replace it.
var nap = func(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	for errors.Is(syscall.Nanosleep(&t, &t), syscall.EINTR) {
	}
}

// sleepUntil waits until due; it returns false if ctx was done before.
func sleepUntil(ctx context.Context, due time.Time) bool {
	if wait := time.Until(due) - coarse; wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	for wait := time.Until(due); wait > 0 && ctx.Err() == nil; wait = time.Until(due) {
		nap(wait)
	}
	return ctx.Err() == nil
}
