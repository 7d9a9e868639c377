package api

import (
	"slipway/server/oip"
	"slipway/server/serving"
)

// ModelStatistics returns what the versions that Versions finds have done since they
// were loaded.
func (a *API) ModelStatistics(c *Call, model, version string) (*oip.ModelStatisticsResponse, error) {
	versions, err := a.Versions(c, model, version)
	if err != nil {
		return nil, err
	}
	all := &oip.ModelStatisticsResponse{}
	for _, v := range versions {
		all.ModelStats = append(all.ModelStats, statisticsOf(v))
	}
	return all, nil
}

func statisticsOf(v *serving.Version) *oip.ModelStatistics {
	s := v.Statistics()
	m := &oip.ModelStatistics{
		Name: v.Model, Version: v.Number,
		InferenceCount: s.InferenceCount, ExecutionCount: s.ExecutionCount,
		InferenceStats: &oip.InferStatistics{
			Success: duration(s.Success),
			// The protocol knows one kind of request that failed.
			Fail: duration(serving.Duration{
				Count: s.Fail.Count + s.Cancel.Count + s.Reject.Count, Total: s.Fail.Total + s.Cancel.Total + s.Reject.Total,
			}),
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
	return &oip.StatisticDuration{Count: d.Count, Ns: uint64(d.Total.Nanoseconds())}
}
