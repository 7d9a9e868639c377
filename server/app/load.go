package app

import (
	"slipway/server/config"
	"slipway/server/repository"
)

// load makes the repository's models current and, if they are to follow the
// repository, returns when the server stops.
func (a *App) load() error {
	ctx := a.loading
	switch r := a.config.Repository; r.Control {
	case config.ControlExplicit:
		return a.catalog.LoadOnly(ctx, r.Load)
	case config.ControlNone:
		return a.catalog.Load(ctx)
	default:
		w := repository.NewWatcher(a.config.Models, r.PollInterval)
		state, err := w.Next(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the server stops
		}
		if err != nil {
			return err
		}
		a.catalog.Apply(ctx, state)
		a.catalog.Follow(ctx, w)
		return nil
	}
}
