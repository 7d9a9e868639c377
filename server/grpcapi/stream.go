package grpcapi

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"slipway/server/oip"
)

// maxPipelined is how many requests of one stream are under way at once; more
// are left unread, so that the client's sends wait.
const maxPipelined = 64

type inferStream = grpc.BidiStreamingServer[oip.ModelInferRequest, oip.ModelStreamInferResponse]

// ModelStreamInfer answers each request of the stream, several at once, in
// their order. A request that fails is answered with its error and ends nothing.
func (s *service) ModelStreamInfer(stream inferStream) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	answers := make(chan chan *oip.ModelStreamInferResponse, maxPipelined)
	var running sync.WaitGroup
	var sendErr error
	running.Go(func() {
		for answer := range answers {
			if sendErr == nil {
				if sendErr = stream.Send(<-answer); sendErr != nil {
					cancel() // nobody reads the rest
				}
			}
		}
	})
	err := s.receive(ctx, stream, answers, &running)
	close(answers)
	running.Wait()
	if sendErr != nil {
		return sendErr
	}
	return err
}

// receive starts the answer of each request until the client sends no more.
func (s *service) receive(ctx context.Context, stream inferStream, answers chan<- chan *oip.ModelStreamInferResponse, running *sync.WaitGroup) error {
	for {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		answer := make(chan *oip.ModelStreamInferResponse, 1)
		answers <- answer
		running.Go(func() { answer <- s.streamed(ctx, r) })
	}
}

// streamed is one request's answer; it is logged and counted as a call of its own.
func (s *service) streamed(ctx context.Context, r *oip.ModelInferRequest) *oip.ModelStreamInferResponse {
	c := &call{method: oip.GRPCInferenceService_ModelStreamInfer_FullMethodName}
	if whole, ok := ctx.Value(callKey{}).(*call); ok {
		c.id, c.key = whole.id, whole.key
	}
	began := time.Now()
	s.Metrics.Began()
	var m *oip.ModelInferResponse
	ctx = context.WithValue(ctx, callKey{}, c)
	err := statusOf(s.recovered(ctx, c, func(ctx context.Context) (err error) {
		m, err = s.infer(ctx, r)
		return err
	}))
	took := time.Since(began)
	s.logAccess(ctx, c, err, took)
	s.answered(c, err, took)
	if err != nil {
		return &oip.ModelStreamInferResponse{
			ErrorMessage:  status.Convert(err).Message(),
			InferResponse: &oip.ModelInferResponse{Id: r.GetId()},
		}
	}
	m.Parameters = finalResponse
	return &oip.ModelStreamInferResponse{InferResponse: m}
}

// finalResponse tells Triton's clients that a request has this one answer.
var finalResponse = parameters{"triton_final_response": {ParameterChoice: &oip.InferParameter_BoolParam{BoolParam: true}}}
