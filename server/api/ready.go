package api

import (
	"context"
	"sync"
	"time"

	"slipway/server/fault"
)

// drain is the one sign for both protocols that the server is about to stop.
type drain struct {
	once  sync.Once
	begun chan struct{}
}

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
func (a *API) Drain() { a.drain.once.Do(func() { close(a.drain.begun) }) }

// Draining returns a channel that is closed when draining begins.
func (a *API) Draining() <-chan struct{} { return a.drain.begun }

// ShuttingDown returns nil until draining begins.
func (a *API) ShuttingDown() error {
	select {
	case <-a.drain.begun:
		return fault.New(fault.Unavailable, "the server is shutting down")
	default:
		return nil
	}
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
