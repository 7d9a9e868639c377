package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"

	"slipway/server/transfer/source"
)

const (
	// mostFailures ends a source that brings a few bytes each time. A link that breaks
	// every 100 MB brings 100 GB before.
	mostFailures      = 1000
	longestBackoff    = 30 * time.Second
	longestRetryAfter = 2 * time.Minute
)

var errGaveUp = errors.New("gave up")

// pauses are those between tries: partly random, so that pods started together
// spread, and never less than the server's Retry-After.
type pauses struct {
	backoff.ExponentialBackOff
	failures, most int // in a row that brought nothing new
	total          int // of failures
	retryAfter     time.Duration
}

// NextBackOff counts a failure.
func (p *pauses) NextBackOff() time.Duration {
	p.failures++
	p.total++
	if p.hasEnough() {
		return backoff.Stop
	}
	return max(p.ExponentialBackOff.NextBackOff(), p.retryAfter)
}

func (p *pauses) hasEnough() bool { return p.failures > p.most || p.total >= mostFailures }

// retry tries until it succeeds, until an error is permanent, or until o.Retries
// in a row brought nothing new.
func retry(ctx context.Context, o Options, try func() (advanced bool, err error)) error {
	p := &pauses{most: o.Retries, ExponentialBackOff: backoff.ExponentialBackOff{
		InitialInterval: o.Backoff, MaxInterval: longestBackoff, Multiplier: 2, RandomizationFactor: backoff.DefaultRandomizationFactor,
	}}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		advanced, err := try()
		if advanced {
			p.failures = 0
			p.Reset()
		}
		p.retryAfter = 0
		if status, ok := errors.AsType[*source.StatusError](err); ok {
			p.retryAfter = min(status.After, longestRetryAfter)
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			err = backoff.Permanent(context.Cause(ctx))
		case isPermanent(err):
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(p), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, pause time.Duration) {
		o.Log.Warn("trying again", "after", pause.Round(time.Millisecond).String(), "failures", p.failures, "of", p.most, "error", err.Error())
	}))
	if p.hasEnough() {
		return fmt.Errorf("%w after %d tries: %w", errGaveUp, p.total, err)
	}
	return err
}

// isPermanent is true of the faults of the caller and the disk. Those of the network
// and the server pass.
func isPermanent(err error) bool {
	var marked *backoff.PermanentError
	var file *fs.PathError
	var rename *os.LinkError
	if errors.As(err, &marked) || errors.As(err, &file) || errors.As(err, &rename) {
		return true
	}
	status := source.Status(err)
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}
