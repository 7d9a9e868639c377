package grpcapi

import (
	"context"

	"slipway/server/grpcapi/oip"
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
	q, err := query(r)
	if err != nil {
		return nil, err
	}
	answer, err := v.Infer(ctx, q)
	if err != nil {
		return nil, err
	}
	m := message(answer.Outputs, isRaw(r))
	m.ModelName, m.ModelVersion, m.Id = v.Model, v.Number, r.GetId()
	return m, nil
}
