package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/serving"
)

type modelStatistics struct {
	Name           string            `json:"name"`
	Version        string            `json:"version"`
	LastInference  int64             `json:"last_inference"` // ms of the Unix epoch
	InferenceCount uint64            `json:"inference_count"`
	ExecutionCount uint64            `json:"execution_count"`
	InferenceStats inferStatistics   `json:"inference_stats"`
	BatchStats     []batchStatistics `json:"batch_stats"`
}

type inferStatistics struct {
	Success       duration `json:"success"`
	Fail          duration `json:"fail"`
	Queue         duration `json:"queue"`
	ComputeInput  duration `json:"compute_input"`
	ComputeInfer  duration `json:"compute_infer"`
	ComputeOutput duration `json:"compute_output"`
	CacheHit      duration `json:"cache_hit"`
	CacheMiss     duration `json:"cache_miss"`
}

type batchStatistics struct {
	BatchSize     int      `json:"batch_size"`
	ComputeInput  duration `json:"compute_input"`
	ComputeInfer  duration `json:"compute_infer"`
	ComputeOutput duration `json:"compute_output"`
}

type duration struct {
	Count uint64 `json:"count"`
	NS    int64  `json:"ns"`
}

func asDuration(d serving.Duration) duration { return duration{d.Count, d.Total.Nanoseconds()} }

// v2Statistics is what a version, the versions of a model or all models have
// done since they were loaded.
func (a *API) v2Statistics(c *gin.Context) {
	models := a.Catalog.Models()
	if name := c.Param("model"); name != "" {
		m, err := a.Catalog.Model(name)
		if err != nil {
			fail(c, err)
			return
		}
		models = []*serving.Model{m}
	}
	all := []modelStatistics{}
	for _, m := range models {
		versions := m.Versions
		if number := c.Param("version"); number != "" {
			v, err := m.Version(number)
			if err != nil {
				fail(c, err)
				return
			}
			versions = []*serving.Version{v}
		}
		for _, v := range versions {
			all = append(all, statisticsOf(v))
		}
	}
	c.JSON(http.StatusOK, gin.H{"model_stats": all})
}

func statisticsOf(v *serving.Version) modelStatistics {
	s := v.Statistics()
	m := modelStatistics{
		Name: v.Model, Version: v.Number, InferenceCount: s.InferenceCount, ExecutionCount: s.ExecutionCount,
		InferenceStats: inferStatistics{
			Success: asDuration(s.Success),
			// The protocol knows one kind of request that was not answered.
			Fail: asDuration(serving.Duration{
				Count: s.Fail.Count + s.Cancel.Count + s.Reject.Count, Total: s.Fail.Total + s.Cancel.Total + s.Reject.Total,
			}),
			Queue: asDuration(s.Queue), ComputeInput: asDuration(s.ComputeInput),
			ComputeInfer: asDuration(s.ComputeInfer), ComputeOutput: asDuration(s.ComputeOutput),
		},
		BatchStats: []batchStatistics{},
	}
	if !s.LastInference.IsZero() {
		m.LastInference = s.LastInference.UnixMilli()
	}
	for _, b := range s.Batches {
		m.BatchStats = append(m.BatchStats, batchStatistics{
			BatchSize: b.Size, ComputeInput: asDuration(b.ComputeInput),
			ComputeInfer: asDuration(b.ComputeInfer), ComputeOutput: asDuration(b.ComputeOutput),
		})
	}
	return m
}
