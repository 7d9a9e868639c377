package grpcapi

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"slipway/server/oip"
)

// maxPipelined is how many requests of one stream are in flight at once; more
// are left unread, so that the client's sends wait.
const maxPipelined = 64

type (
	inferStream    = grpc.BidiStreamingServer[oip.ModelInferRequest, oip.ModelStreamInferResponse]
	streamResponse = oip.ModelStreamInferResponse
)

// ModelStreamInfer serves each request of the stream, several at once, and
// responds in their order. A request that fails has its error as response and ends
// nothing.
func (s *service) ModelStreamInfer(stream inferStream) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	responses := make(chan chan *streamResponse, maxPipelined)
	var running sync.WaitGroup
	var sendErr error
	running.Go(func() {
		for response := range responses {
			if sendErr == nil {
				if sendErr = stream.Send(<-response); sendErr != nil {
					cancel() // nobody reads the rest
				}
			}
		}
	})
	err := s.receive(ctx, stream, responses, &running)
	close(responses)
	running.Wait()
	if sendErr != nil {
		return sendErr
	}
	return err
}

// receive starts serving each request until the client sends no more.
func (s *service) receive(ctx context.Context, stream inferStream, responses chan<- chan *streamResponse, running *sync.WaitGroup) error {
	for {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		response := make(chan *streamResponse, 1)
		responses <- response
		running.Go(func() { response <- s.streamed(ctx, r) })
	}
}

// streamed serves one request of a stream, which is logged and counted as a call
// of its own.
func (s *service) streamed(ctx context.Context, r *oip.ModelInferRequest) *streamResponse {
	stream := callOf(ctx)
	c := newCall(stream.Path, stream.ID)
	c.Key, c.Prediction = stream.Key, true
	var response *oip.ModelInferResponse
	err := s.observed(ctx, c, func(ctx context.Context) (err error) {
		response, err = s.infer(ctx, r)
		return err
	})
	if err != nil {
		return &streamResponse{
			ErrorMessage:  status.Convert(err).Message(),
			InferResponse: &oip.ModelInferResponse{Id: r.GetId()},
		}
	}
	response.Parameters = finalResponse
	return &streamResponse{InferResponse: response}
}

// finalResponse reports to Triton's clients that a request has this one response.
var finalResponse = parameters{"triton_final_response": {ParameterChoice: &oip.InferParameter_BoolParam{BoolParam: true}}}
