package api

import (
	"context"
	"log/slog"
	"net/netip"

	"slipway/server/admission"
	"slipway/server/config"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// Options of an API. All but Keys, TrustedProxies and Memory are needed.
type Options struct {
	Catalog *serving.Catalog
	Keys    *config.Keys // nil: open to everybody
	Metrics *telemetry.Metrics
	Log     *slog.Logger
	Access  *slog.Logger // gets a line for each request
	Version string       // of the server
	Tracing bool         // make spans
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Memory bounds what all requests hold together; nil: nothing does.
	Memory *admission.Budget
	// MaxResponseBytes bounds one response; 0: nothing does.
	MaxResponseBytes int64
}

// API serves the models of a catalog to both protocols.
type API struct {
	Options

	// Signs for the requests of both protocols: the server is about to stop, it stops.
	draining, stopping context.Context //nolint:containedctx // they outlive each request
	drain, stop        context.CancelFunc

	attempts attempts
}

// New returns an API that does not drain.
func New(o Options) *API {
	a := &API{Options: o}
	a.draining, a.drain = context.WithCancel(context.Background())
	a.stopping, a.stop = context.WithCancel(context.Background())
	return a
}
