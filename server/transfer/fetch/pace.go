package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// slowest is how many bytes a second a connection must bring. A gigabyte takes twelve
// days at it: a source that is slower is broken, or keeps the fetch waiting on purpose.
const slowest = 1 << 10

var errSlow = errors.New("the source is too slow")

// enough reports whether so many bytes in that time are not too slow.
func enough(bytes int64, took time.Duration) bool {
	return float64(bytes) >= slowest*took.Seconds()
}

// paced runs a read that reports what comes. Its context ends when too little came in
// a window of time; the error is errSlow then.
func paced(parent context.Context, window time.Duration, read func(ctx context.Context, came func(bytes int)) error) error {
	ctx, cancel := context.WithCancelCause(parent)
	var bytes atomic.Int64
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(window)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if n := bytes.Swap(0); !enough(n, window) {
				cancel(fmt.Errorf("%w: %d bytes came in %s, and %d a second are the least", errSlow, n, window, slowest))
				return
			}
		}
	})
	err := read(ctx, func(n int) { bytes.Add(int64(n)) })
	cancel(nil)
	watch.Wait()
	if cause := context.Cause(ctx); err != nil && parent.Err() == nil && errors.Is(cause, errSlow) {
		return cause
	}
	return err
}

// reporting reports what is read.
type reporting struct {
	io.Reader
	came func(bytes int)
}

func (r reporting) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.came(n)
	return n, err
}
