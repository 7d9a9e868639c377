package app

import "time"

// keysInterval is how often the file of API keys is read again. A mounted Secret
// takes about a minute to change, so more often gains nothing.
const keysInterval = 10 * time.Second

// followKeys keeps the API keys as their file has them, until the server stops.
func (a *App) followKeys() {
	if a.keys == nil {
		return
	}
	a.following.Go(func() {
		a.keys.Follow(a.loading, a.keysInterval, func(err error) {
			if err != nil {
				a.log.Warn("API keys not reloaded; the keys from before stay", "error", err)
				return
			}
			a.log.Info("API keys reloaded", "keys", a.keyNames())
		})
	})
}

// keyNames returns the names of the keys, for the log.
func (a *App) keyNames() []string {
	if a.keys == nil {
		return nil
	}
	return a.keys.Names()
}
