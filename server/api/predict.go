package api

import (
	"context"
	"time"

	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// LongRequest is the length in bytes from which a request that is to be refused
// for lack of time is better refused before it is read or decoded.
const LongRequest = 16 << 10

// Prediction is a request for a prediction in its protocol.
type Prediction interface {
	// Names returns the model and the version that the request is for; an empty
	// name leaves the choice to the server.
	Names() (model, version string)
	// Limit returns the time that the request has, as far as it is known before the
	// request is decoded, or 0, and whether the request is long.
	Limit() (limit time.Duration, long bool, err error)
	// Decode reads the request. Its tensors may be views of the request's memory.
	Decode(v *serving.Version) (serving.Request, error)
	// Encode makes the response.
	Encode(v *serving.Version, a serving.Response) error
}

// Predict serves one prediction: it chooses the version, admits, decodes, runs
// and encodes. The version is not freed in between.
func (a *API) Predict(ctx context.Context, c *Call, p Prediction) error {
	v, err := a.Catalog.Acquire(p.Names())
	if err != nil {
		return err
	}
	defer v.Release()
	c.chose(v)
	began := time.Now()
	limit, long, err := p.Limit()
	if err == nil && long {
		err = v.Admit(limit)
	}
	if err != nil {
		return err
	}
	q, err := p.Decode(v)
	if err != nil {
		return err
	}
	q.Charge = c.Charge
	decoded := time.Now()
	response, err := v.Infer(ctx, q)
	if err != nil {
		return err
	}
	err = p.Encode(v, response)
	if a.Tracing {
		telemetry.Trace(ctx, v.Model, v.Number, response.BatchSize,
			telemetry.Phase{Name: "decode", From: began, To: decoded},
			telemetry.Phase{Name: "queue", From: response.Queued, To: response.Started},
			telemetry.Phase{Name: "run", From: response.Started, To: response.Finished},
			telemetry.Phase{Name: "encode", From: response.Finished, To: time.Now()})
	}
	return err
}

// CheckResponse returns an error for a response that is longer than one may be.
func (a *API) CheckResponse(bytes int) error {
	if a.MaxResponseBytes > 0 && int64(bytes) > a.MaxResponseBytes {
		return fault.New(fault.TooLarge, "the response has %d bytes, over the limit of %d (memory.maxResponseBytes); request fewer rows or outputs", bytes, a.MaxResponseBytes)
	}
	return nil
}

// AdmitUnread returns why a prediction would be refused whatever is in
// its request, for a protocol that names the model in the request itself: nothing is
// loaded yet, or the one version there is has no time for it. limit is the time
// that the call has, 0 if none.
func (a *API) AdmitUnread(limit time.Duration) error {
	v, err := a.Catalog.Sole()
	if err != nil || v == nil {
		return err
	}
	return v.Admit(limit)
}
