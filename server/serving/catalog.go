package serving

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
)

// Options of a catalog.
type Options struct {
	Folder         string // the repository
	DefaultModel   string // of a request that names none; empty: the only one there is
	Processors     int    // that the container may use
	IntraOpThreads int    // of a run, where the model does not say; 0: derived
	LongRuns       func() // if not nil, told of each model whose run is long
}

// Catalog is the models that can be asked.
type Catalog struct {
	options Options
	log     *slog.Logger
	metrics *telemetry.Metrics

	current atomic.Pointer[models] // nil until the first load is over
	loading sync.Map               // names of the models that are being loaded
	change  sync.Mutex             // held by whoever makes the next state
	drained sync.WaitGroup         // the versions that are being freed
	freeing atomic.Int64           // how many they are
	closed  bool                   // guarded by change
}

// NewCatalog is an empty catalog, which is not ready.
func NewCatalog(o Options, log *slog.Logger, metrics *telemetry.Metrics) *Catalog {
	return &Catalog{options: o, log: log, metrics: metrics}
}

// Ready is nil when every model has a version that can be asked, else the reason.
func (c *Catalog) Ready() error {
	now, err := c.now()
	if err != nil {
		return err
	}
	return now.ready()
}

// Failures are the versions that could not be loaded.
func (c *Catalog) Failures() error {
	now, err := c.now()
	if err != nil {
		return nil //nolint:nilerr // nothing was loaded, so nothing has failed
	}
	return now.failures()
}

// Models lists the models by name.
func (c *Catalog) Models() []*Model {
	now, err := c.now()
	if err != nil {
		return nil
	}
	return now.sorted()
}

// Model finds a model; an empty name means the default one.
func (c *Catalog) Model(name string) (*Model, error) {
	now, err := c.now()
	if err != nil {
		return nil, err
	}
	return now.find(name)
}

// Choose finds a version of a model, to be described; an empty version means
// the newest.
func (c *Catalog) Choose(model, version string) (*Version, error) {
	m, err := c.Model(model)
	if err != nil {
		return nil, err
	}
	return m.Version(version)
}

// Acquire finds a version as Choose does and keeps it from being freed until it
// is released.
func (c *Catalog) Acquire(model, version string) (*Version, error) {
	for {
		v, err := c.Choose(model, version)
		if err != nil {
			return nil, err
		}
		if v.acquire() {
			return v, nil
		}
		// It was swapped out in between; the next look finds its successor.
	}
}

// Close drains and frees the models.
func (c *Catalog) Close() {
	c.change.Lock()
	defer c.change.Unlock()
	c.closed = true
	if now := c.current.Swap(nil); now != nil {
		for _, m := range now.byName {
			c.retire(m.Versions...)
		}
	}
	c.drained.Wait()
}

func (c *Catalog) now() (*models, error) {
	if now := c.current.Load(); now != nil {
		return now, nil
	}
	return nil, fault.New(fault.Unavailable, "models are being loaded")
}

// retire frees versions that are no longer current once nobody uses them. The
// last of those that go at the same time gives their memory back to the system,
// unless the process is about to end.
func (c *Catalog) retire(versions ...*Version) {
	giveBack := !c.closed
	c.freeing.Add(int64(len(versions)))
	for _, v := range versions {
		v.Release() // the catalog's own hold
		c.drained.Go(func() {
			if err := v.free(); err != nil {
				c.log.Error("model not freed", "model", v.Model, "version", v.Number, "error", err)
			} else {
				c.log.Info("model unloaded", "model", v.Model, "version", v.Number)
			}
			if c.freeing.Add(-1) == 0 && giveBack {
				onnx.Trim()
			}
		})
	}
}

// Follow loads the repository as it lies and goes on to load what changes in it
// until ctx is done.
func (c *Catalog) Follow(ctx context.Context, w *repository.Watcher) {
	for {
		state, err := w.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			c.log.Error("repository not read; the models stay as they are", "error", err)
		default:
			c.Apply(ctx, state)
		}
	}
}
