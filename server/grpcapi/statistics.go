package grpcapi

import (
	"context"
	"time"

	"slipway/server/oip"
	"slipway/server/serving"
)

// ModelStatistics is what has been asked of a version, of all versions of a
// model, or of all models.
func (s *service) ModelStatistics(ctx context.Context, r *oip.ModelStatisticsRequest) (*oip.ModelStatisticsResponse, error) {
	versions, err := s.versions(ctx, r.GetName(), r.GetVersion())
	if err != nil {
		return nil, err
	}
	answer := &oip.ModelStatisticsResponse{}
	for _, v := range versions {
		answer.ModelStats = append(answer.ModelStats, modelStatistics(v))
	}
	return answer, nil
}

func (s *service) versions(ctx context.Context, model, version string) ([]*serving.Version, error) {
	switch {
	case model == "" && version == "":
		var all []*serving.Version
		for _, m := range s.Catalog.Models() {
			all = append(all, m.Versions...)
		}
		return all, nil
	case version == "":
		m, err := s.Catalog.Model(model)
		if err != nil {
			return nil, err
		}
		return m.Versions, nil
	}
	_, v, err := s.choose(ctx, model, version)
	return []*serving.Version{v}, err
}

func modelStatistics(v *serving.Version) *oip.ModelStatistics {
	s := v.Statistics()
	m := &oip.ModelStatistics{
		Name: v.Model, Version: v.Number,
		InferenceCount: s.InferenceCount, ExecutionCount: s.ExecutionCount,
		InferenceStats: &oip.InferStatistics{
			Success: duration(s.Success),
			// The protocol knows one kind of request that was not answered.
			Fail:          duration(serving.Duration{Count: s.Fail.Count + s.Cancel.Count + s.Reject.Count, Total: s.Fail.Total + s.Cancel.Total + s.Reject.Total}),
			Queue:         duration(s.Queue),
			ComputeInput:  duration(s.ComputeInput),
			ComputeInfer:  duration(s.ComputeInfer),
			ComputeOutput: duration(s.ComputeOutput),
			CacheHit:      &oip.StatisticDuration{},
			CacheMiss:     &oip.StatisticDuration{},
		},
	}
	if !s.LastInference.IsZero() {
		m.LastInference = uint64(s.LastInference.UnixMilli())
	}
	for _, b := range s.Batches {
		m.BatchStats = append(m.BatchStats, &oip.InferBatchStatistics{
			BatchSize:    uint64(b.Size),
			ComputeInput: duration(b.ComputeInput), ComputeInfer: duration(b.ComputeInfer), ComputeOutput: duration(b.ComputeOutput),
		})
	}
	return m
}

func duration(d serving.Duration) *oip.StatisticDuration {
	return &oip.StatisticDuration{Count: d.Count, Ns: uint64(d.Total / time.Nanosecond)}
}
