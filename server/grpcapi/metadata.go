package grpcapi

import (
	"context"

	"slipway/server/oip"
)

// ServerLive is true when the server responds and no model is stuck.
func (s *service) ServerLive(context.Context, *oip.ServerLiveRequest) (*oip.ServerLiveResponse, error) {
	return &oip.ServerLiveResponse{Live: s.Live() == nil}, nil
}

// ServerReady reports whether requests should come here.
func (s *service) ServerReady(context.Context, *oip.ServerReadyRequest) (*oip.ServerReadyResponse, error) {
	return &oip.ServerReadyResponse{Ready: s.Ready() == nil}, nil
}

// ModelReady is false, and no error, for a model that does not exist: clients wait
// for it in this way.
func (s *service) ModelReady(_ context.Context, r *oip.ModelReadyRequest) (*oip.ModelReadyResponse, error) {
	_, err := s.Catalog.Choose(r.GetName(), r.GetVersion())
	return &oip.ModelReadyResponse{Ready: err == nil}, nil
}

// ServerMetadata describes the server.
func (s *service) ServerMetadata(context.Context, *oip.ServerMetadataRequest) (*oip.ServerMetadataResponse, error) {
	return s.API.ServerMetadata(), nil
}

// ModelMetadata describes what a version takes and returns.
func (s *service) ModelMetadata(ctx context.Context, r *oip.ModelMetadataRequest) (*oip.ModelMetadataResponse, error) {
	return s.API.ModelMetadata(callOf(ctx), r.GetName(), r.GetVersion())
}

// ModelConfig describes how a version runs, in Triton's words.
func (s *service) ModelConfig(ctx context.Context, r *oip.ModelConfigRequest) (*oip.ModelConfigResponse, error) {
	c, err := s.API.ModelConfig(callOf(ctx), r.GetName(), r.GetVersion())
	if err != nil {
		return nil, err
	}
	return &oip.ModelConfigResponse{Config: c}, nil
}

// ModelStatistics has what a version, the versions of a model or all models have
// done since they were loaded.
func (s *service) ModelStatistics(ctx context.Context, r *oip.ModelStatisticsRequest) (*oip.ModelStatisticsResponse, error) {
	return s.API.ModelStatistics(callOf(ctx), r.GetName(), r.GetVersion())
}
