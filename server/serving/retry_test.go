package serving_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/repository"
	"slipway/server/serving"
)

// installExternal installs a model with weights beside it.
func installExternal(t *testing.T, folder string) {
	t.Helper()
	onnxtest.Put(t, filepath.Join(folder, "model.onnx"), "external")
	data, err := os.ReadFile(filepath.Join(filepath.Dir(onnxtest.Model(t, "external")), "external.data"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "external.data"), data, 0o600))
}

// noMemory lets no model with external weights be loaded until the test, or whoever
// calls passed, ends it.
func noMemory(t *testing.T) (passed func()) {
	t.Helper()
	passed = func() { onnx.LimitMemory(math.MaxInt64) }
	t.Cleanup(passed)
	onnx.LimitMemory(0)
	return passed
}

// watched serves a folder in a bubble of synctest and polls it once a second.
func watched(t *testing.T, folder string, test func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		registry, log := prometheus.NewRegistry(), &bytes.Buffer{}
		c := newCatalogOn(t, registry, log, folder, serving.Options{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Watch(ctx, repository.NewWatcher(folder, time.Second))
		}()
		synctest.Wait()
		test(t, c, registry, log)
		stop()
		<-done
		c.Close()
	})
}

// loadFailures is how many loads of a version have failed; -1 without such a series.
func loadFailures(t *testing.T, r *prometheus.Registry, version string) int {
	t.Helper()
	return counter(t, r, "slipway_model_load_failures_total", version)
}

// counter returns a counter of a version, or -1 if there is none.
func counter(t *testing.T, r *prometheus.Registry, name, version string) int {
	t.Helper()
	all, err := r.Gather()
	require.NoError(t, err)
	for _, family := range all {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if family.GetName() == name && label.GetName() == "version" && label.GetValue() == version {
					return int(metric.GetCounter().GetValue())
				}
			}
		}
	}
	return -1
}

func TestALoadThatFailedForAPassingReasonIsRetried(t *testing.T) {
	folder := t.TempDir()
	version := filepath.Join(folder, "m", "1")
	installExternal(t, version)
	passed := noMemory(t)
	watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer) {
		require.ErrorContains(t, c.Ready(), "cannot allocate memory")
		assert.Equal(t, 1, loadFailures(t, r, "1"))
		// Retries are due after 5 s, 10 s, 20 s and so on, and made at the next poll.
		for i, after := range []int{5, 10, 20, 40, 80, 160, 300, 300} {
			time.Sleep(time.Duration(after-1) * time.Second)
			synctest.Wait()
			assert.Equal(t, 1+i, loadFailures(t, r, "1"), "not before it is due")
			time.Sleep(time.Second)
			synctest.Wait()
			assert.Equal(t, 2+i, loadFailures(t, r, "1"))
		}
		assert.Equal(t, 1, strings.Count(log.String(), "model not loaded"), "the same reason is logged once")

		passed()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.NoError(t, c.Ready())
		require.NoError(t, c.Failures())
	})
}

func TestALoadByRequestIsAlwaysTried(t *testing.T) {
	folder := t.TempDir()
	version := filepath.Join(folder, "m", "1")
	installExternal(t, version)
	passed := noMemory(t)
	watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer) {
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		before := loadFailures(t, r, "1")
		require.Error(t, c.LoadModel(t.Context(), "m"))
		assert.Equal(t, before+1, loadFailures(t, r, "1"))
		assert.Equal(t, 2, strings.Count(log.String(), "model not loaded"), "whoever requests a load finds its reason in the log")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		assert.Equal(t, before+2, loadFailures(t, r, "1"), "the delays begin anew")

		passed()
		require.NoError(t, c.LoadModel(t.Context(), "m"))
		require.NoError(t, c.Ready())
	})
}

// A load by request scans the repository by itself. A fault that only this scan found
// is no change to the watcher.
func TestAFaultThatOnlyARequestFoundPasses(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"m/1/model.onnx": "constant_1"})
	path := filepath.Join(folder, "m", "1", "model.onnx")
	watched(t, folder, func(t *testing.T, c *serving.Catalog, _ *prometheus.Registry, _ *bytes.Buffer) {
		require.NoError(t, c.Failures())
		require.NoError(t, os.Rename(path, path+".tmp"))
		require.ErrorContains(t, c.LoadModel(t.Context(), "m"), "no such file")
		require.NoError(t, os.Rename(path+".tmp", path))
		require.NoError(t, c.Ready(), "the old version stays")
		require.Error(t, c.Failures())

		time.Sleep(time.Second)
		synctest.Wait()
		require.NoError(t, c.Failures())
		require.NoError(t, c.Ready())
	})
}

func TestAPermanentFailureIsNotRetried(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"golden mismatch":   {"m/1/golden.ndjson": goldenLine("2.1")},
		"unreadable golden": {"m/1/golden.ndjson": "{"},
		"wrong pbtxt":       {"m/config.pbtxt": `input [{ name: "z", data_type: TYPE_FP32, dims: [1] }]`},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			install(t, folder, map[string]string{"m/1/model.onnx": "constant_1"})
			install(t, folder, files)
			watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, _ *bytes.Buffer) {
				require.Error(t, c.Ready())
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				assert.Equal(t, 1, loadFailures(t, r, "1"))
			})
		})
	}
}

// No scan tells that an older version has been mended, so that it is looked at again.
func TestAnOlderVersionThatIsMended(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{
		"m/2/model.onnx": "constant_2", "m/2/golden.ndjson": goldenLine("7"),
		"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("7"),
	})
	watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, _ *bytes.Buffer) {
		require.Error(t, c.Ready())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Error(t, c.Ready())
		assert.Equal(t, 1, loadFailures(t, r, "1"), "the same files are not tried again")
		install(t, folder, map[string]string{"m/1/golden.ndjson": goldenLine("2")})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.NoError(t, c.Ready())
		assertOne(t, c, "m", "1", 2)
		assert.Equal(t, 1, loadFailures(t, r, "2"))
	})
}

// A version that failed to load has series as long as the repository has it, and not
// longer.
func TestSeriesOfAFailedVersionGoWithIt(t *testing.T) {
	registry, folder := prometheus.NewRegistry(), t.TempDir()
	install(t, folder, map[string]string{
		"m/1/model.onnx": "constant_1",
		"m/2/model.onnx": "constant_1", "m/2/golden.ndjson": goldenLine("2.1"), "m/config.yaml": "versions: {all: true}",
	})
	c := newCatalogOn(t, registry, &bytes.Buffer{}, folder, serving.Options{})
	mismatches := func() int { return counter(t, registry, "slipway_golden_mismatches_total", "2") }
	require.NoError(t, c.LoadAll(t.Context()))
	require.NoError(t, c.LoadAll(t.Context()))
	assert.Equal(t, 1, loadFailures(t, registry, "2"))
	assert.Equal(t, 1, mismatches())

	require.NoError(t, os.RemoveAll(filepath.Join(folder, "m", "2")))
	require.NoError(t, c.LoadAll(t.Context()))
	assert.Equal(t, -1, loadFailures(t, registry, "2"))
	assert.Equal(t, -1, mismatches())
	n, err := testutil.GatherAndCount(registry, "slipway_model_loaded")
	require.NoError(t, err)
	assert.Equal(t, 1, n, "that of version 1")
}
