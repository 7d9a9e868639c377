package telemetry_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"slipway/server/telemetry"
)

func TestAnsweredCountsByEveryLabel(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{})
	var all sync.WaitGroup
	for _, r := range []telemetry.Request{
		{Model: "m", Version: "1", Protocol: "v2", Code: "200"},
		{Model: "m", Version: "1", Protocol: "v2", Code: "200"},
		{Model: "m", Version: "1", Protocol: "v2", Code: "400"},
		{Model: "m", Version: "2", Protocol: "grpc", Code: "OK"},
	} {
		metrics.Retain(r.Model, r.Version)
		all.Go(func() {
			metrics.Began()
			r.Duration = time.Millisecond
			metrics.Answered(r)
		})
	}
	all.Wait()
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP slipway_requests_in_flight Predictions under way.
# TYPE slipway_requests_in_flight gauge
slipway_requests_in_flight 0
# HELP slipway_requests_total Predictions answered, by status code.
# TYPE slipway_requests_total counter
slipway_requests_total{code="200",model="m",protocol="v2",version="1"} 2
slipway_requests_total{code="400",model="m",protocol="v2",version="1"} 1
slipway_requests_total{code="OK",model="m",protocol="grpc",version="2"} 1
`), "slipway_requests_in_flight", "slipway_requests_total"))
	require.Equal(t, 2, testutil.CollectAndCount(registry, "slipway_request_duration_seconds"))
}

// An increase that begins a series is lost to rate() and increase(): every series of a version exists at 0
// from its load on.
func TestSeriesBeginAtZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{})
	load := metrics.BeginLoad("m", "1")
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP slipway_model_load_failures_total Loads that failed.
# TYPE slipway_model_load_failures_total counter
slipway_model_load_failures_total{model="m",version="1"} 0
# HELP slipway_golden_mismatches_total Golden answers that a version did not reproduce.
# TYPE slipway_golden_mismatches_total counter
slipway_golden_mismatches_total{model="m",version="1"} 0
`), "slipway_model_load_failures_total", "slipway_golden_mismatches_total"))
	load.Done()
	metrics.NewVersion("m", "1")
	all, err := registry.Gather()
	require.NoError(t, err)
	count := map[string]int{}
	for _, family := range all {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "model" && label.GetValue() == "m" {
					count[family.GetName()]++
					require.Zero(t, metric.GetCounter().GetValue(), family.GetName())
				}
			}
		}
	}
	require.Equal(t, map[string]int{
		"slipway_requests_total": 4 * 6, "slipway_request_duration_seconds": 4,
		"slipway_queue_duration_seconds": 1, "slipway_queue_requests": 1, "slipway_queue_bytes": 1,
		"slipway_rejected_total": 3, "slipway_canceled_total": 2,
		"slipway_batch_size": 1, "slipway_run_duration_seconds": 1, "slipway_run_failures_total": 1, "slipway_late_runs": 1,
		"slipway_model_loaded": 1, "slipway_model_load_duration_seconds": 1, "slipway_model_load_failures_total": 1,
		"slipway_model_crashes_total": 1, "slipway_golden_mismatches_total": 1,
		"slipway_batching_refused": 1, "slipway_batching_verify_duration_seconds": 1,
	}, count)
}

// Versions come and go for as long as the process lives: nothing may be left of one that has gone.
func TestSeriesGoWithTheirVersion(t *testing.T) {
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{})
	series := func() int {
		all, err := registry.Gather()
		require.NoError(t, err)
		n := 0
		for _, family := range all {
			for _, metric := range family.GetMetric() {
				for _, label := range metric.GetLabel() {
					if label.GetName() == "version" && label.GetValue() == "7" {
						n++
					}
				}
			}
		}
		return n
	}
	response := func() {
		metrics.Began()
		metrics.Answered(telemetry.Request{Model: "m", Version: "7", Protocol: "v2", Code: "200"})
	}
	load := metrics.BeginLoad("m", "7")
	first := metrics.NewVersion("m", "7")
	load.Verified(time.Millisecond, true)
	load.Done()
	first.Depth(1, 2)
	response()
	second := metrics.NewVersion("m", "7") // the same number with other content
	first.Close()
	require.NotZero(t, series(), "its successor reports under the same labels")
	response()
	second.Close()
	require.Zero(t, series())
	response()
	require.Zero(t, series(), "a late response brings nothing back")

	metrics.Retain("m", "7")
	load = metrics.BeginLoad("m", "7")
	load.GoldenMismatch()
	load.Failed()
	third := metrics.NewVersion("m", "7")
	third.BatchingRefused(nil)
	third.Close()
	require.NotZero(t, series(), "the version is still in the repository")
	metrics.Release("m", "7")
	require.Zero(t, series(), "what counted its failures goes too")
}
