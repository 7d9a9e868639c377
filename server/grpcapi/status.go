package grpcapi

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"slipway/server/fault"
)

// statusOf returns err as a status; an error that is a status already stays as it is.
func statusOf(err error) error {
	if _, already := status.FromError(err); already {
		return err
	}
	s := status.New(fault.GRPCCode(err), fault.Text(err))
	if wait := fault.RetryAfterOf(err); wait > 0 {
		if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}); err == nil {
			s = detailed
		}
	}
	return s.Err()
}
