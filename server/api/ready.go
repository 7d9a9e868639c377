package api

import (
	"context"
	"time"

	"slipway/server/fault"
)

// StopStall is how long a server that stops waits for a client that neither sends nor
// reads.
const StopStall = 5 * time.Second

// Stop makes the protocols end what waits for clients that do nothing, so that they do
// not keep the server from stopping.
func (a *API) Stop() { a.stop() }

// Stopping returns a context that Stop ends.
func (a *API) Stopping() context.Context { return a.stopping }

// Drain makes the server not ready and lets clients connect elsewhere.
// Requests are still served.
func (a *API) Drain() { a.drain() }

// Draining returns a channel that is closed when draining begins.
func (a *API) Draining() <-chan struct{} { return a.draining.Done() }

// ShuttingDown returns nil until draining begins.
func (a *API) ShuttingDown() error {
	if a.draining.Err() != nil {
		return fault.New(fault.Unavailable, "the server is shutting down")
	}
	return nil
}

// Live returns nil unless the process should be restarted.
func (a *API) Live() error { return a.Catalog.Stuck() }

// Ready returns nil when requests should come here, else the reason.
func (a *API) Ready() error {
	if err := a.ShuttingDown(); err != nil {
		return err
	}
	return a.Catalog.Ready()
}

// ModelReady returns nil when requests for a model should come here, else the reason.
func (a *API) ModelReady(model string) error {
	if err := a.ShuttingDown(); err != nil {
		return err
	}
	m, err := a.Catalog.Model(model)
	if err != nil {
		return err
	}
	return m.Ready()
}
