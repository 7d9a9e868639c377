package api

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"slipway/server/admission"
	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// Call is what the log and the metrics have of a request.
type Call struct {
	ID                     string
	Protocol, Method, Path string
	Model, Version         string // empty unless the catalog has them: what a client made up is no label
	Key                    string // name of the API key
	Client                 string // its address
	Prediction             bool   // is counted and timed
	Silent                 bool   // leaves no line in the log: it is a probe's

	// Charge is the memory that the call holds. Begin makes it unless the request was
	// received before, and Finish gives it back.
	Charge *admission.Charge

	began time.Time
}

// Result is how a call ended, in the words of its protocol.
type Result struct {
	Status slog.Value // for the log
	Code   string     // for the metrics
	// Reason is why the server failed, or empty. What the client did wrong is
	// reported to the client: the log has no payload.
	Reason string
}

// chose notes the version that the call is for.
func (c *Call) chose(v *serving.Version) { c.Model, c.Version = v.Model, v.Number }

// Begin starts the clock of a call. Finish must follow.
func (a *API) Begin(c *Call) {
	c.began = time.Now()
	if c.Charge == nil {
		c.Charge = a.Memory.Charge()
	}
	if c.Prediction {
		a.Metrics.Began()
	}
}

// Finish logs a call, and counts and times it if it is a prediction.
func (a *API) Finish(ctx context.Context, c *Call, r Result) {
	c.Charge.Release()
	ended := time.Now()
	took := ended.Sub(c.began)
	if !c.Silent {
		a.logAccess(ctx, c, r, ended, took)
	}
	if c.Prediction {
		a.Metrics.Answered(telemetry.Request{
			Model: c.Model, Version: c.Version, Protocol: c.Protocol, Code: r.Code, Duration: took,
		})
	}
}

// Panicked logs a panic of a handler with its stack and returns the error that
// the client gets for it. It must be called by the function that recovered.
func (a *API) Panicked(ctx context.Context, path string, reason any) error {
	a.Log.ErrorContext(ctx, "handler panicked", "path", path, "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
	return fault.New(fault.Internal, "internal error")
}
