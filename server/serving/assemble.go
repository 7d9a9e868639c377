package serving

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"slipway/server/modelconfig"
	"slipway/server/repository"
)

// reload replaces a model by what the repository has, m. The model's lock is held.
func (c *Catalog) reload(ctx context.Context, old *Model, m repository.Model) *Model {
	next, retired := c.assemble(ctx, old, m)
	c.replace(m.Name, next)
	c.retire(retired...)
	return next
}

// assemble makes the next Model out of the versions of old that have not changed
// and of new ones. While a version of m cannot be loaded, all that old serves
// stays; else retired are old's versions that next does not have.
func (c *Catalog) assemble(ctx context.Context, old *Model, m repository.Model) (next *Model, retired []*Version) {
	c.loading.Store(m.Name, "")
	defer c.loading.Delete(m.Name)
	next = &Model{Name: m.Name, Config: m.Config, described: m}
	fail := func(f failure) {
		c.logFailure(old, m.Name, f)
		next.failures = append(next.failures, f)
	}
	if m.Err != nil {
		fail(failure{err: m.Err})
	}
	for _, b := range m.Bundles {
		v, err := c.versionOf(ctx, old, b, m.Config)
		if err != nil {
			fail(failure{number: strconv.FormatInt(b.Version, 10), err: err, bundle: b.Fingerprint})
			continue
		}
		next.Versions = append(next.Versions, v)
	}
	next.keep(old)
	c.loadOlder(ctx, old, next, m)
	next.scheduleRetry(old, time.Now())
	if old != nil {
		retired = slices.DeleteFunc(slices.Clone(old.Versions), func(v *Version) bool { return slices.Contains(next.Versions, v) })
	}
	slices.SortFunc(next.Versions, func(a, b *Version) int { return cmp.Compare(a.bundle.Version, b.bundle.Version) })
	return next, retired
}

// keep keeps what old serves while a version cannot be loaded.
func (m *Model) keep(old *Model) {
	if old == nil || len(m.failures) == 0 {
		return
	}
	for _, v := range old.Versions {
		if m.loaded(v.Number) == nil {
			m.Versions = append(m.Versions, v)
		}
	}
}

// loadOlder loads older versions until as many are served as the repository has to
// serve: whatever is wrong with a new version, a server that starts serves what the
// others do.
func (c *Catalog) loadOlder(ctx context.Context, old, next *Model, m repository.Model) {
	for _, number := range m.Older {
		if len(next.Versions) >= len(m.Bundles) || ctx.Err() != nil {
			return
		}
		if next.loaded(strconv.FormatInt(number, 10)) != nil { // old serves it
			continue
		}
		b, err := m.ScanOlder(ctx, c.options.Folder, number)
		var v *Version
		if err == nil {
			v, err = c.versionOf(ctx, old, b, m.Config)
		}
		if err != nil {
			f := failure{number: strconv.FormatInt(number, 10), err: err, bundle: b.Fingerprint, older: true}
			c.logFailure(old, m.Name, f)
			next.failures = append(next.failures, f)
			continue
		}
		c.log.Warn("an older version is served", "model", m.Name, "version", v.Number)
		next.Versions = append(next.Versions, v)
	}
}

// versionOf returns the version that a bundle makes: old's when the bundle has not
// changed, else a new one. A bundle whose failure is permanent is not loaded again.
func (c *Catalog) versionOf(ctx context.Context, old *Model, b repository.Bundle, s modelconfig.Config) (*Version, error) {
	if b.Err != nil {
		return nil, permanent(b.Err) // a scan that no longer finds the fault makes another bundle
	}
	if old != nil {
		number := strconv.FormatInt(b.Version, 10)
		if v := old.loaded(number); v != nil && v.bundle.Fingerprint == b.Fingerprint {
			return v, nil
		}
		if f := old.failure(number); f != nil && f.bundle == b.Fingerprint && isPermanent(f.err) {
			return nil, f.err
		}
	}
	return c.loadVersion(ctx, b, s)
}

func (c *Catalog) loadVersion(ctx context.Context, b repository.Bundle, s modelconfig.Config) (*Version, error) {
	number := strconv.FormatInt(b.Version, 10)
	log := c.log.With("model", b.Model, "version", number)
	c.loading.Store(b.Model, number)
	leave, err := c.places.take(ctx, b.Size())
	if err != nil {
		return nil, err
	}
	defer leave()
	load := c.metrics.BeginLoad(b.Model, number)
	v, err := c.open(ctx, b, s, load, log)
	if err != nil {
		load.Failed()
		return nil, err
	}
	log.Info("model loaded", "seconds", load.Done().Seconds(), "instances", v.Instances,
		"intra_op_threads", v.IntraOpThreads, "max_batch_size", v.MaxBatchSize)
	return v, nil
}

// logFailure logs why a model or a version was not loaded. A reason that old had too
// is in the log already and comes at debug level. What is incomplete is a warning, and
// one until it is complete: it may be being copied.
func (c *Catalog) logFailure(old *Model, name string, f failure) {
	level := slog.LevelError
	incomplete := errors.Is(f.err, repository.ErrIncomplete)
	before := old.failure(f.number)
	switch {
	case before != nil && (before.err.Error() == f.err.Error() || incomplete && errors.Is(before.err, repository.ErrIncomplete)):
		level = slog.LevelDebug
	case incomplete:
		level = slog.LevelWarn
	}
	log := c.log.With("model", name)
	if f.number != "" {
		log = log.With("version", f.number)
	}
	log.Log(context.Background(), level, "model not loaded", "error", f.err)
}
