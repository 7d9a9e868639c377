package serving

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/repository"
)

// Load reads the repository once and makes its models current.
func (c *Catalog) Load(ctx context.Context) error {
	state, err := repository.Scan(c.options.Folder)
	if err != nil {
		return err
	}
	c.Apply(ctx, state)
	return nil
}

// LoadOnly reads the repository and loads none but the models that are named.
func (c *Catalog) LoadOnly(ctx context.Context, names []string) error {
	state, err := repository.Scan(c.options.Folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(state.Models, func(m repository.Model) bool { return m.Name == name }) {
			return fmt.Errorf("repository.load: the repository has no model %q", name)
		}
	}
	c.change.Lock()
	defer c.change.Unlock()
	c.report(state.Problems)
	start := &models{byName: map[string]*Model{}, fallback: c.options.DefaultModel}
	for _, m := range state.Models {
		if !slices.Contains(names, m.Name) {
			idle := &Model{Name: m.Name, Config: m.Config, described: m, unloaded: true}
			start = start.with(m.Name, idle, c.options.DefaultModel)
		}
	}
	c.follow(ctx, start, state.Models, names)
	return nil
}

// Apply makes the models of a repository current, one after the other, each
// when all that can fail has been done. A version that cannot be loaded is
// logged and counted, and what served before goes on serving.
func (c *Catalog) Apply(ctx context.Context, state repository.State) {
	c.change.Lock()
	defer c.change.Unlock()
	c.report(state.Problems)
	now := c.current.Load()
	if now == nil {
		now = &models{byName: map[string]*Model{}, fallback: c.options.DefaultModel}
	}
	var changed []string
	for _, m := range state.Models {
		if old := now.byName[m.Name]; old == nil || !reflect.DeepEqual(old.described, m) {
			changed = append(changed, m.Name)
		}
	}
	c.follow(ctx, now, state.Models, changed)
	for name, old := range c.current.Load().byName {
		if !slices.ContainsFunc(state.Models, func(m repository.Model) bool { return m.Name == name }) {
			c.swap(name, nil)
			c.retire(old.Versions...)
		}
	}
}

func (c *Catalog) report(problems []error) {
	for _, err := range problems {
		c.log.Error("left out of the repository", "error", err)
	}
}

// follow loads those of all that are named. The first state is made current
// whole, so that nobody sees half a repository; a later one model by model.
func (c *Catalog) follow(ctx context.Context, now *models, all []repository.Model, named []string) {
	first := c.current.Load() == nil
	for _, m := range all {
		if !slices.Contains(named, m.Name) || ctx.Err() != nil {
			continue
		}
		next, retired := c.load(ctx, now.byName[m.Name], m)
		if first {
			now = now.with(m.Name, next, c.options.DefaultModel)
		} else {
			c.swap(m.Name, next)
		}
		c.retire(retired...)
	}
	if first {
		c.current.Store(now)
	}
}

// swap makes m, or nothing if it is nil, the model of that name.
func (c *Catalog) swap(name string, m *Model) {
	c.current.Store(c.current.Load().with(name, m, c.options.DefaultModel))
}

// load makes the model that the repository describes, out of the versions of
// old that have not changed and of new ones, and tells which of old's versions
// are out of service with it. While a version of it cannot be loaded, all that
// old serves stays.
func (c *Catalog) load(ctx context.Context, old *Model, m repository.Model) (next *Model, retired []*Version) {
	c.loading.Store(m.Name, true)
	defer c.loading.Delete(m.Name)
	next = &Model{Name: m.Name, Config: m.Config, described: m}
	if m.Err != nil {
		c.log.Error("model not loaded", "model", m.Name, "error", m.Err)
		next.failures = append(next.failures, failure{err: m.Err})
	}
	for _, b := range m.Bundles {
		number := strconv.FormatInt(b.Version, 10)
		if b.Err != nil {
			c.log.Error("model not loaded", "model", m.Name, "version", number, "error", b.Err)
			next.failures = append(next.failures, failure{number, b.Err})
			continue
		}
		if v := old.unchanged(number, b, m.Config); v != nil {
			next.Versions = append(next.Versions, v)
			continue
		}
		v, err := c.loadVersion(ctx, b, m.Config)
		if err != nil {
			next.failures = append(next.failures, failure{number, err})
			continue
		}
		next.Versions = append(next.Versions, v)
	}
	if old == nil {
		return next, nil
	}
	for _, v := range old.Versions {
		switch {
		case slices.Contains(next.Versions, v):
		case len(next.failures) > 0 && next.loaded(v.Number) == nil:
			next.Versions = append(next.Versions, v)
		default:
			retired = append(retired, v)
		}
	}
	slices.SortFunc(next.Versions, func(a, b *Version) int { return cmp.Compare(a.bundle.Version, b.bundle.Version) })
	return next, retired
}

func (c *Catalog) loadVersion(ctx context.Context, b repository.Bundle, s modelconfig.Config) (*Version, error) {
	number := strconv.FormatInt(b.Version, 10)
	log := c.log.With("model", b.Model, "version", number)
	load := c.metrics.BeginLoad(b.Model, number)
	v, err := c.open(ctx, b, s, load, log)
	if err != nil {
		load.Failed()
		log.Error("model not loaded", "error", err)
		return nil, err
	}
	log.Info("model loaded", "seconds", load.Done().Seconds(), "instances", v.Instances,
		"intra_op_threads", v.IntraOpThreads, "max_batch_size", v.MaxBatchSize)
	return v, nil
}

// unchanged is the loaded version that a bundle would make again, or nil.
func (m *Model) unchanged(number string, b repository.Bundle, s modelconfig.Config) *Version {
	if m == nil || !reflect.DeepEqual(m.Config, s) {
		return nil
	}
	if v := m.loaded(number); v != nil && v.bundle.Digest == b.Digest {
		return v
	}
	return nil
}

// LoadModel loads a model as it lies in the repository now.
func (c *Catalog) LoadModel(ctx context.Context, name string) error {
	m, known, err := repository.ScanModel(ctx, c.options.Folder, name)
	if err != nil {
		return err
	}
	if !known {
		return fault.New(fault.NotFound, "load model %q: the repository has no such model", name)
	}
	c.change.Lock()
	defer c.change.Unlock()
	now, err := c.now()
	if err != nil {
		return err
	}
	next, retired := c.load(ctx, now.byName[name], m)
	c.swap(name, next)
	c.retire(retired...)
	if err := next.failed(); err != nil {
		return fault.New(fault.InvalidArgument, "load model %q: %w", name, err)
	}
	return nil
}

// UnloadModel takes a model out of service until it is loaded again or its
// folder changes. Requests that have it are answered first.
func (c *Catalog) UnloadModel(_ context.Context, name string) error {
	c.change.Lock()
	defer c.change.Unlock()
	now, err := c.now()
	if err != nil {
		return err
	}
	old, ok := now.byName[name]
	if !ok {
		return fault.New(fault.NotFound, "unload model %q: no such model; there are %s", name, now.names())
	}
	c.swap(name, &Model{Name: name, Config: old.Config, described: old.described, unloaded: true})
	c.retire(old.Versions...)
	return nil
}
