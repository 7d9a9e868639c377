package grpcapi

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

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
	responses := make(chan chan *outgoing, maxPipelined)
	var running sync.WaitGroup
	var sendErr error
	running.Go(func() {
		for response := range responses {
			out := <-response
			if sendErr != nil {
				out.flow.drop(int64(out.size))
				continue
			}
			if sendErr = stream.SendMsg(out); sendErr != nil {
				cancel() // nobody reads the rest
			}
		}
	})
	err := s.receiveStream(ctx, stream, responses, &running)
	close(responses)
	running.Wait()
	if sendErr != nil {
		return sendErr
	}
	return err
}

// receiveStream starts serving each request until the client sends no more.
func (s *service) receiveStream(ctx context.Context, stream inferStream, responses chan<- chan *outgoing, running *sync.WaitGroup) error {
	for {
		r := &oip.ModelInferRequest{}
		in := s.incoming(ctx, r, s.Memory.Charge())
		if err := stream.RecvMsg(in); err != nil {
			in.charge.Release()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		response := make(chan *outgoing, 1)
		responses <- response
		running.Go(func() { response <- s.streamed(ctx, r, in) })
	}
}

// streamed serves one request of a stream, which is logged and counted as a call
// of its own.
func (s *service) streamed(ctx context.Context, r *oip.ModelInferRequest, in *incoming) (out *outgoing) {
	stream := callOf(ctx)
	c := newCall(stream.Path, stream.ID)
	c.Key, c.Client, c.Prediction, c.Charge = stream.Key, stream.Client, true, in.charge
	err := s.observed(ctx, c, func(ctx context.Context) error {
		if in.err != nil {
			return in.err
		}
		response, err := s.infer(ctx, r)
		if err != nil {
			return err
		}
		response.Parameters = finalResponse
		out, err = s.outgoing(in.flow, &streamResponse{InferResponse: response})
		return err
	})
	if err == nil {
		return out
	}
	m := &streamResponse{
		ErrorMessage:  status.Convert(err).Message(),
		InferResponse: &oip.ModelInferResponse{Id: r.GetId()},
	}
	return &outgoing{message: m, size: proto.Size(m)} // too short to be charged
}

// finalResponse reports to Triton's clients that a request has this one response.
var finalResponse = parameters{"triton_final_response": {ParameterChoice: &oip.InferParameter_BoolParam{BoolParam: true}}}
