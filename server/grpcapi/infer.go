package grpcapi

import (
	"context"
	"time"

	"slipway/server/oip"
	"slipway/server/telemetry"
)

// ModelInfer answers one prediction.
func (s *service) ModelInfer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	return s.infer(ctx, r)
}

// infer chooses the version, turns the message into tensors, runs and turns
// tensors into a message. The tensors lend the message's memory; it is not
// touched again before they are done with.
func (a *API) infer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	v, err := a.Catalog.Acquire(r.GetModelName(), r.GetModelVersion())
	if err != nil {
		return nil, err
	}
	defer v.Release()
	asks(ctx, v)
	began := time.Now()
	q, err := query(r)
	if err != nil {
		return nil, err
	}
	decoded := time.Now()
	answer, err := v.Infer(ctx, q)
	if err != nil {
		return nil, err
	}
	// Raw unless an input came typed: Triton's clients read nothing else.
	m := message(answer.Outputs, isRaw(r) || len(r.GetInputs()) == 0)
	m.ModelName, m.ModelVersion, m.Id = v.Model, v.Number, r.GetId()
	telemetry.Trace(ctx, v.Model, v.Number, answer.BatchSize,
		telemetry.Phase{Name: "decode", From: began, To: decoded},
		telemetry.Phase{Name: "queue", From: answer.Queued, To: answer.Started},
		telemetry.Phase{Name: "run", From: answer.Started, To: answer.Finished},
		telemetry.Phase{Name: "encode", From: answer.Finished, To: time.Now()})
	return m, nil
}
