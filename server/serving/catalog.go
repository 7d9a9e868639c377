package serving

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"slipway/server/admission"
	"slipway/server/crashmark"
	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/telemetry"
	"slipway/server/trial"
)

// Options of a catalog.
type Options struct {
	Folder         string                 // the repository
	DefaultModel   string                 // of a request that names none, required; empty: the only one there is
	Required       []string               // models without which the catalog is not ready; empty: any one is enough
	Explicit       bool                   // models are loaded by request only
	Processors     int                    // that the container may use
	IntraOpThreads int                    // of a run, where the model's configuration sets none; 0: derived
	LongRuns       func()                 // if not nil, called for each model whose runs are long
	Freed          func()                 // if not nil, called when a version was freed
	Opening        func() (opened func()) // if not nil, called before a version is opened, and what it returns after it

	// Memory bounds what requests hold; nil: nothing does.
	Memory *admission.Budget

	LoadTimeout time.Duration    // of one version; 0: none
	Trials      *trial.Trials    // nil: versions prove themselves in this process
	Crashes     *crashmark.Marks // nil: runs are not marked
}

// Catalog holds the models that are served. Readers see one immutable state of it;
// changes replace that state.
type Catalog struct {
	options Options
	log     *slog.Logger
	metrics *telemetry.Metrics

	current   atomic.Pointer[models] // never nil
	replacing sync.Mutex             // held for the moment in which current is replaced
	locks     modelLocks             // of each model, held while it is loaded or unloaded
	reported  reported               // what the repository had when it was applied last
	completed chan struct{}          // closed when the first state has been applied
	loading   sync.Map               // the version that is being loaded, or empty, by model
	places    *places                // of the loads that take processors
	fault     repositoryFault

	stopping   context.Context // ends all loads
	stop       context.CancelCauseFunc
	lateRuns   atomic.Int64 // that go on although nobody waits for them
	leftBehind atomic.Int64 // calls of ONNX Runtime that have not ended when they should

	closing sync.Mutex     // guards closed
	closed  bool           // no further change may begin
	changes sync.WaitGroup // that are under way
	drained sync.WaitGroup // versions that are being freed
	freeing atomic.Int64   // how many they are
}

// NewCatalog makes an empty catalog, which is not ready.
func NewCatalog(o Options, log *slog.Logger, metrics *telemetry.Metrics) *Catalog {
	c := &Catalog{options: o, log: log, metrics: metrics, completed: make(chan struct{}), places: newPlaces(o.Processors)}
	c.stopping, c.stop = context.WithCancelCause(context.Background())
	for _, crash := range o.Crashes.Found() {
		log.Error("the server died while this model was running", "model", crash.Model, "version", crash.Version,
			"runs", crash.Runs, "deaths_last_hour", crash.Deaths, "held_back", crash.Held)
		metrics.Crashed(crash.Model, crash.Version)
	}
	required := slices.Clone(o.Required)
	if o.DefaultModel != "" && !slices.Contains(required, o.DefaultModel) {
		required = append(required, o.DefaultModel)
	}
	c.current.Store(&models{byName: map[string]*Model{}, fallback: o.DefaultModel, required: required, explicit: o.Explicit})
	return c
}

// Ready returns nil when every required model has a version that can be called, else
// the reason. Without required models each load of the repository's first state must
// have ended.
func (c *Catalog) Ready() error {
	if now := c.current.Load(); len(now.required) > 0 && now.ready() == nil {
		return nil
	}
	now, err := c.now()
	if err != nil {
		return err
	}
	return now.ready()
}

// Failures joins the reasons of the versions and models that could not be loaded.
func (c *Catalog) Failures() error {
	now, err := c.now()
	if err != nil {
		return nil //nolint:nilerr // nothing was loaded, so nothing has failed
	}
	return now.failures()
}

// Models returns the models by name, those that are being loaded for the first time
// left out.
func (c *Catalog) Models() []*Model { return c.current.Load().sorted() }

// Model finds a model; an empty name means the default one.
func (c *Catalog) Model(name string) (*Model, error) {
	name = cmp.Or(name, c.options.DefaultModel)
	if m := c.current.Load().byName[name]; m != nil {
		return m, nil // while others may still be loaded for the first time
	}
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

// Sole returns the version of a catalog that has one model with one version, else
// nil. The error says that no model is loaded yet.
func (c *Catalog) Sole() (*Version, error) {
	now, err := c.now()
	if err != nil || len(now.byName) != 1 {
		return nil, err
	}
	for _, m := range now.byName {
		if len(m.Versions) == 1 {
			return m.Versions[0], nil
		}
	}
	return nil, nil
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

// StopLoading ends the loads that are under way; later ones end at once.
func (c *Catalog) StopLoading() {
	c.stop(fmt.Errorf("the server is stopping: %w", context.Canceled))
}

// Stuck returns an error when the requests of a model have waited for a long time for
// runs that do not end, although nobody waits for those any more.
func (c *Catalog) Stuck() error {
	for _, m := range c.current.Load().byName {
		for _, v := range m.Versions {
			if since := v.queue.Stuck(); since > stuckAfter {
				return fault.New(fault.Unavailable, "model %q version %s: no run has ended for %s after its deadline", v.Model, v.Number, since.Round(time.Second))
			}
		}
	}
	return nil
}

// stuckAfter is how long all runs of a version may go on after their deadlines until
// the process is better restarted.
const stuckAfter = 5 * time.Minute

// LeftBehind reports whether ONNX Runtime still runs or opens a model although nobody
// waits for it.
// The library must not be unloaded then.
func (c *Catalog) LeftBehind() bool { return c.leftBehind.Load() > 0 || c.lateRuns.Load() > 0 }

// Close ends the loads that are under way, then drains and frees all models. Changes
// that come later are refused.
func (c *Catalog) Close() {
	c.closing.Lock()
	c.closed = true
	c.closing.Unlock()
	c.StopLoading()
	c.changes.Wait()
	for name, m := range c.current.Swap(&models{}).byName {
		c.releaseSeries(name, m)
		c.retire(m.Versions...)
	}
	c.drained.Wait()
}

// begin registers a change of the catalog, so that Close waits until end is called.
// The change must end when the context that begin returns does.
func (c *Catalog) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed {
		return nil, nil, fault.New(fault.Unavailable, "the server is stopping")
	}
	c.changes.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(c.stopping, func() { cancel(context.Cause(c.stopping)) })
	return ctx, func() {
		unlink()
		cancel(nil)
		c.changes.Done()
	}, nil
}

func (c *Catalog) isLoading(name string) bool {
	_, loading := c.loading.Load(name)
	return loading
}

func (c *Catalog) isClosed() bool {
	c.closing.Lock()
	defer c.closing.Unlock()
	return c.closed
}

// now returns the current state once the repository has been loaded.
func (c *Catalog) now() (*models, error) {
	if now := c.current.Load(); now.complete {
		return now, nil
	}
	return nil, fault.New(fault.Unavailable, "models are being loaded")
}

// replace makes m the model of that name, or removes the model when m is nil. The
// series of a version stay as long as the catalog lists it, also as a failed one.
// Whoever calls it holds the model's lock.
func (c *Catalog) replace(name string, m *Model) {
	c.replacing.Lock()
	before := c.current.Load()
	c.current.Store(before.with(name, m, c.options.DefaultModel))
	c.replacing.Unlock()
	for _, number := range m.listed() {
		c.metrics.Retain(name, number)
	}
	c.releaseSeries(name, before.byName[name])
	if m == nil {
		c.metrics.ModelGone(name)
	} else {
		c.metrics.ModelReady(name, m.Ready() == nil)
	}
	c.reportFault()
}

func (c *Catalog) releaseSeries(name string, m *Model) {
	for _, number := range m.listed() {
		c.metrics.Release(name, number)
	}
}

// retire frees versions that are no longer current once nobody uses them. The
// last of those that go at the same time returns their memory to the system,
// unless the process is about to end.
func (c *Catalog) retire(versions ...*Version) {
	trim := !c.isClosed()
	c.freeing.Add(int64(len(versions)))
	for _, v := range versions {
		v.Release() // the catalog's own hold
		c.drained.Go(func() {
			if err := v.free(); err != nil {
				c.log.Error("model not freed", "model", v.Model, "version", v.Number, "error", err)
			} else {
				c.log.Info("model unloaded", "model", v.Model, "version", v.Number)
			}
			if c.freeing.Add(-1) == 0 && trim {
				onnx.Trim()
			}
			if c.options.Freed != nil {
				c.options.Freed()
			}
		})
	}
}
