package serving

import (
	"context"
	"errors"
	"sync"
	"time"

	"slipway/server/repository"
)

// A load that failed for a passing reason, such as a network volume that was away or
// a lack of memory, is tried again after retryFirst, and then after twice as long
// each time, up to retryMost.
const (
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
)

// Watch applies the repository and then each change of it until ctx is done. After
// each scan it also retries the failed loads that are due. It goes on scanning while
// models are being loaded: one that takes long delays no other.
func (c *Catalog) Watch(ctx context.Context, w *repository.Watcher) {
	var changes sync.WaitGroup
	defer changes.Wait()
	for {
		state, changed, err := w.Poll(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.setUnread(err)
			continue
		case changed:
			changes.Go(c.Start(ctx, state))
		}
		c.setUnread(nil)
		for _, m := range state.Models {
			if c.current.Load().byName[m.Name].needsRetry(m) && !c.isLoading(m.Name) {
				changes.Go(func() { c.retry(ctx, m) })
			}
		}
	}
}

// retry reloads a model unless another change came first. m is what the repository
// has now.
func (c *Catalog) retry(ctx context.Context, m repository.Model) {
	ctx, end, err := c.begin(ctx)
	if err != nil {
		return
	}
	defer end()
	ctx, unlock, err := c.locks.lock(ctx, m.Name)
	if err != nil {
		return
	}
	defer unlock()
	if old := c.current.Load().byName[m.Name]; old.needsRetry(m) && c.reported.is(m.Name, m.Fingerprint) {
		c.reload(ctx, old, m)
	}
}

// needsRetry reports whether m has a failure that is due, or that the repository no
// longer has: a load by request scans by itself and may have found a fault that
// passed. A nil model has none.
func (m *Model) needsRetry(now repository.Model) bool {
	if m == nil || len(m.failures) == 0 {
		return false
	}
	due := !m.retryAt.IsZero() && !time.Now().Before(m.retryAt)
	return due || m.described.Fingerprint != now.Fingerprint
}

// scheduleRetry sets when m is to be retried. A permanent failure is not: the
// repository reports when its cause has changed. It does not of an older version, which
// is looked at again where fewer versions are served than are to be.
func (m *Model) scheduleRetry(old *Model, now time.Time) {
	passing, few := false, len(m.Versions) < len(m.described.Bundles)
	for _, f := range m.failures {
		passing = passing || f.older && few || f.number != "" && !isPermanent(f.err)
	}
	if !passing {
		return
	}
	m.retryDelay = retryFirst
	if old != nil && old.retryDelay > 0 && old.described.Fingerprint == m.described.Fingerprint {
		m.retryDelay = min(2*old.retryDelay, retryMost)
	}
	m.retryAt = now.Add(m.retryDelay)
}

// permanentError is a failure that the same files and settings always give.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func permanent(err error) error { return permanentError{err} }

func isPermanent(err error) bool { return errors.As(err, new(permanentError)) }
