package serving

import (
	"context"
	"fmt"
	"slices"

	"slipway/server/fault"
	"slipway/server/repository"
)

// LoadAll reads the repository once and loads all of its models.
func (c *Catalog) LoadAll(ctx context.Context) error {
	state, err := repository.Scan(c.options.Folder)
	if err != nil {
		return err
	}
	c.Apply(ctx, state)
	return nil
}

// LoadSelected reads the repository once and loads the named models. The others are
// listed as unloaded.
func (c *Catalog) LoadSelected(ctx context.Context, names []string) error {
	state, err := repository.Scan(c.options.Folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !state.Has(name) {
			return fmt.Errorf("repository.load: the repository has no model %q", name)
		}
	}
	c.apply(ctx, state, func(m repository.Model) bool { return slices.Contains(names, m.Name) })
	return nil
}

// Apply loads what has changed in a repository, one model after the other, and
// unloads the models that are gone. A model is swapped in when all that can fail has
// been done. A version that cannot be loaded is logged and counted, and what served
// before stays.
func (c *Catalog) Apply(ctx context.Context, state repository.State) {
	c.apply(ctx, state, func(repository.Model) bool { return true })
}

func (c *Catalog) apply(ctx context.Context, state repository.State, selected func(repository.Model) bool) {
	end, err := c.begin()
	if err != nil {
		return
	}
	defer end()
	c.applying.Lock()
	defer c.applying.Unlock()
	c.logProblems(state.Problems)
	if c.losesAll(state) {
		return
	}
	for _, m := range state.Models {
		if ctx.Err() == nil {
			c.applyModel(ctx, m, selected(m))
		}
	}
	for name := range c.current.Load().byName {
		if !state.Has(name) {
			c.removeModel(name)
		}
	}
	c.complete()
}

// applyModel loads a model unless the catalog has what the repository has, or lists
// it as unloaded.
func (c *Catalog) applyModel(ctx context.Context, m repository.Model, selected bool) {
	defer c.locks.lock(m.Name)()
	old := c.current.Load().byName[m.Name]
	switch {
	case old != nil && old.described.Fingerprint == m.Fingerprint:
	case selected:
		c.reload(ctx, old, m)
	case old == nil:
		c.replace(m.Name, &Model{Name: m.Name, Config: m.Config, described: m, unloaded: true})
	}
}

func (c *Catalog) removeModel(name string) {
	defer c.locks.lock(name)()
	if old := c.current.Load().byName[name]; old != nil {
		c.replace(name, nil)
		c.retire(old.Versions...)
	}
}

// complete shows the first state to readers once it is whole.
func (c *Catalog) complete() {
	c.replacing.Lock()
	defer c.replacing.Unlock()
	now := *c.current.Load()
	now.complete = true
	now.reached = now.reached || now.all() == nil
	c.current.Store(&now)
}

// LoadModel loads one model as the repository has it now.
func (c *Catalog) LoadModel(ctx context.Context, name string) error {
	m, known, err := repository.ScanModel(ctx, c.options.Folder, name)
	if err != nil {
		return err
	}
	if !known {
		return fault.New(fault.NotFound, "load model %q: the repository has no such model", name)
	}
	end, err := c.beginRequested()
	if err != nil {
		return err
	}
	defer end()
	defer c.locks.lock(name)()
	next := c.reload(ctx, c.current.Load().byName[name].withoutFailures(), m)
	if err := next.failed(); err != nil {
		return fault.New(fault.InvalidArgument, "load model %q: %w", name, err)
	}
	return nil
}

// UnloadModel takes one model out of service until it is loaded again or its folder
// changes. Requests that hold it are answered first.
func (c *Catalog) UnloadModel(_ context.Context, name string) error {
	end, err := c.beginRequested()
	if err != nil {
		return err
	}
	defer end()
	defer c.locks.lock(name)()
	now := c.current.Load()
	old, ok := now.byName[name]
	if !ok {
		return fault.New(fault.NotFound, "unload model %q: no such model; there are %s", name, now.names())
	}
	c.replace(name, &Model{Name: name, Config: old.Config, described: old.described, unloaded: true})
	c.retire(old.Versions...)
	return nil
}

// beginRequested is begin for a change that a client requests: it waits until the
// repository has been applied for the first time.
func (c *Catalog) beginRequested() (end func(), err error) {
	end, err = c.begin()
	if err != nil {
		return nil, err
	}
	if _, err = c.now(); err != nil {
		c.applying.Lock()
		_, err = c.now()
		c.applying.Unlock()
	}
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}
