package app

import (
	"sync"

	"slipway/server/config"
	"slipway/server/repository"
)

// load loads the repository's models. If the repository is polled for changes it
// returns when the server stops.
func (a *App) load() error {
	ctx := a.loading
	switch r := a.config.Repository; r.Control {
	case config.ControlExplicit:
		return a.catalog.LoadSelected(ctx, r.Load)
	case config.ControlNone:
		return a.catalog.LoadAll(ctx)
	default:
		w := repository.NewWatcher(a.config.Models, r.PollInterval)
		state, err := w.Next(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the server stops
		}
		if err != nil {
			return err
		}
		var first sync.WaitGroup // a model that takes long delays no change of another
		first.Go(a.catalog.Start(ctx, state))
		defer first.Wait()
		a.catalog.Watch(ctx, w)
		return nil
	}
}
