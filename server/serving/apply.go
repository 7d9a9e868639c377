package serving

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

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
	c.start(ctx, state, func(m repository.Model) bool { return slices.Contains(names, m.Name) })()
	return nil
}

// Apply loads what has changed in a repository, the models side by side, and unloads
// the models that are gone. A model is swapped in when all that can fail has been
// done. A version that cannot be loaded is logged and counted, and what served before
// stays. A load under way of a model that has changed since is given up.
func (c *Catalog) Apply(ctx context.Context, state repository.State) {
	c.Start(ctx, state)()
}

// Start starts to apply a state; wait waits until that is done. Of two states the one
// that was started later counts.
func (c *Catalog) Start(ctx context.Context, state repository.State) (wait func()) {
	return c.start(ctx, state, func(repository.Model) bool { return true })
}

func (c *Catalog) start(ctx context.Context, state repository.State, selected func(repository.Model) bool) (wait func()) {
	ctx, end, err := c.begin(ctx)
	if err != nil {
		return func() {}
	}
	c.logProblems(state.Problems)
	if c.losesAll(state) {
		return end
	}
	gone := maps.Clone(c.current.Load().byName)
	for _, name := range c.reported.set(state) {
		c.locks.interrupt(name, errChanged)
		gone[name] = nil // it may be loaded for the first time and not be there yet
	}
	var changes sync.WaitGroup
	for _, m := range state.Models {
		changes.Go(func() { c.applyModel(ctx, m, selected(m)) })
	}
	for name := range gone {
		if !state.Has(name) {
			changes.Go(func() { c.removeModel(ctx, name) })
		}
	}
	return func() {
		defer end()
		changes.Wait()
		c.complete()
	}
}

// applyModel loads a model unless the catalog has what the repository has, or lists
// it as unloaded.
func (c *Catalog) applyModel(ctx context.Context, m repository.Model, selected bool) {
	ctx, unlock, err := c.locks.lock(ctx, m.Name)
	if err != nil {
		return
	}
	defer unlock()
	old := c.current.Load().byName[m.Name]
	switch {
	case !c.reported.is(m.Name, m.Fingerprint): // a later state of the repository has come meanwhile
	case old != nil && old.described.Fingerprint == m.Fingerprint:
	case selected:
		c.reload(ctx, old, m)
	case old == nil:
		c.replace(m.Name, &Model{Name: m.Name, Config: m.Config, described: m, unloaded: true})
	}
}

func (c *Catalog) removeModel(ctx context.Context, name string) {
	_, unlock, err := c.locks.lock(ctx, name)
	if err != nil {
		return
	}
	defer unlock()
	if old := c.current.Load().byName[name]; old != nil && c.reported.is(name, "") {
		c.replace(name, nil)
		c.retire(old.Versions...)
	}
}

// complete records that each load of a state has ended.
func (c *Catalog) complete() {
	c.replacing.Lock()
	defer c.replacing.Unlock()
	now := c.current.Load()
	if !now.complete {
		close(c.completed)
	}
	c.current.Store(now.completed())
}

// LoadModel loads one model as the repository has it now. The load is the server's: it
// goes on when whoever has requested it has gone.
func (c *Catalog) LoadModel(ctx context.Context, name string) error {
	ctx, end, err := c.begin(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer end()
	m, known, err := repository.ScanModel(ctx, c.options.Folder, name)
	if err != nil {
		return err
	}
	if !known {
		return fault.New(fault.NotFound, "load model %q: the repository has no such model", name)
	}
	if err := c.awaitFirst(ctx, name); err != nil {
		return err
	}
	ctx, unlock, err := c.locks.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("load model %q: %w", name, err)
	}
	defer unlock()
	next := c.reload(ctx, c.current.Load().byName[name].withoutFailures(), m)
	if err := next.failed(); err != nil {
		return fault.New(fault.InvalidArgument, "load model %q: %w", name, err)
	}
	return nil
}

// UnloadModel takes one model out of service until it is loaded again or its folder
// changes. Requests that hold it are answered first. A load of it is given up. Like a
// load, it does not end with the context of its request.
func (c *Catalog) UnloadModel(ctx context.Context, name string) error {
	ctx, end, err := c.begin(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer end()
	if err := c.awaitFirst(ctx, name); err != nil {
		return err
	}
	c.locks.interrupt(name, errUnloaded)
	_, unlock, err := c.locks.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("unload model %q: %w", name, err)
	}
	defer unlock()
	now := c.current.Load()
	old, ok := now.byName[name]
	if !ok {
		return fault.New(fault.NotFound, "unload model %q: no such model; there are %s", name, now.names(name))
	}
	c.replace(name, &Model{Name: name, Config: old.Config, described: old.described, unloaded: true})
	c.retire(old.Versions...)
	return nil
}

// awaitFirst waits for a model that the first state of the repository has not made yet.
func (c *Catalog) awaitFirst(ctx context.Context, name string) error {
	_, err := c.now()
	switch {
	case err == nil || c.current.Load().byName[name] != nil:
		return nil
	case !c.reported.any():
		return err
	}
	select {
	case <-c.completed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
