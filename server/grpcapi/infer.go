package grpcapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/codec"
	"slipway/server/oip"
	"slipway/server/serving"
)

// ModelInfer serves one prediction.
func (s *service) ModelInfer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	return s.infer(ctx, r)
}

func (a *API) infer(ctx context.Context, r *oip.ModelInferRequest) (*oip.ModelInferResponse, error) {
	p := &prediction{request: r, charge: callOf(ctx).Charge}
	p.left = remaining(ctx)
	if err := a.Predict(ctx, callOf(ctx), p); err != nil {
		return nil, err
	}
	return p.response, nil
}

// prediction is one request and its response.
type prediction struct {
	request  *oip.ModelInferRequest
	charge   *admission.Charge
	left     time.Duration // until the call's deadline
	query    serving.Request
	response *oip.ModelInferResponse
}

// Names are those of the message.
func (p *prediction) Names() (model, version string) {
	return p.request.GetModelName(), p.request.GetModelVersion()
}

// Limit has the shorter time of the call's deadline and the message's parameter.
// The message has arrived: it names the model, so nothing that depends on the
// model can be known before, unless there is one only (see AdmitUnread).
func (p *prediction) Limit() (limit time.Duration, long bool, err error) {
	p.query, err = requestParameters(p.request.GetParameters())
	limit = p.left
	if t := p.query.Timeout; t > 0 && (limit == 0 || t < limit) {
		limit = t
	}
	return limit, isLong(p.request), err
}

// isLong spares most requests the measuring of their length.
func isLong(r *oip.ModelInferRequest) bool {
	length := 0
	for _, raw := range r.GetRawInputContents() {
		length += len(raw)
	}
	return length > api.LongRequest || !isRaw(r) && proto.Size(r) > api.LongRequest
}

// Decode makes tensors of the message, views of its memory wherever Go's types
// allow; it is not touched again before they are done with.
func (p *prediction) Decode(v *serving.Version) (_ serving.Request, err error) {
	if p.query.Inputs, err = inputs(p.request, p.charge); err != nil {
		return p.query, err
	}
	p.query.Outputs, err = requestedOutputs(p.request.GetOutputs(), v.Outputs)
	return p.query, err
}

// Encode makes a raw response unless an input came typed: Triton's clients read
// nothing else.
func (p *prediction) Encode(v *serving.Version, a serving.Response) error {
	if err := codec.CheckKeys(a.Outputs); err != nil {
		return err
	}
	p.response = response(a.Outputs, isRaw(p.request) || len(p.request.GetInputs()) == 0)
	p.response.ModelName, p.response.ModelVersion, p.response.Id = v.Model, v.Number, p.request.GetId()
	return nil
}
