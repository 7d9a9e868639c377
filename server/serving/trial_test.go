package serving_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
	"slipway/server/repository"
	"slipway/server/serving"
	"slipway/server/trial"
)

// trials runs trials in children of this binary.
func trials(t testing.TB, o trial.Options) *trial.Trials {
	t.Helper()
	library, err := onnxtest.Library()
	require.NoError(t, err)
	o.Command, o.Library = []string{os.Args[0], "trial"}, library
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	return trial.New(o, 4<<30, nil)
}

// A trial must come to what the server would have found by itself.
func TestATrialFindsWhatTheServerFinds(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"batching":         {"m/1/model.onnx": "constant_1", "m/config.yaml": "batching: {maxBatchSize: 8}"},
		"golden answers":   {"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("2")},
		"batching refused": {"m/1/model.onnx": "static_batch", "m/config.yaml": "batching: {maxBatchSize: 8}"},
		"golden mismatch":  {"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("2.1")},
		"no golden lines":  {"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": "{"},
		"corrupt":          {"m/1/model.onnx": "corrupt"},
		"wrong pbtxt":      {"m/1/model.onnx": "constant_1", "m/config.pbtxt": `input [{ name: "z", data_type: TYPE_FP32, dims: [1] }]`},
		"warm-up refused":  {"m/1/model.onnx": "gather"},
		"external data":    {"m/1/model.onnx": "external"},
	} {
		t.Run(name, func(t *testing.T) {
			type outcome struct {
				failure, refused  string
				size              int
				mismatches, loads int
			}
			folder := t.TempDir()
			install(t, folder, files)
			found := func(o serving.Options) (is outcome) {
				registry := prometheus.NewRegistry()
				c := newCatalogOn(t, registry, &bytes.Buffer{}, folder, o)
				require.NoError(t, c.LoadAll(t.Context()))
				if err := c.Failures(); err != nil {
					is.failure = err.Error()
				}
				if v, err := c.Choose("m", ""); err == nil {
					is.refused, is.size = v.BatchingRefused(), v.MaxBatchSize
				}
				is.mismatches = counter(t, registry, "slipway_golden_mismatches_total", "1")
				is.loads = loadFailures(t, registry, "1")
				return is
			}
			assert.Equal(t, found(serving.Options{}), found(serving.Options{Trials: trials(t, trial.Options{})}))
		})
	}
}

// bomb installs a model that must not be opened by a server.
func bomb(t *testing.T, folder, name, path string) {
	t.Helper()
	model, err := os.ReadFile(filepath.Join("..", "trial", "testdata", name+".onnx"))
	require.NoError(t, err)
	at := filepath.Join(folder, filepath.FromSlash(path))
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
	require.NoError(t, os.WriteFile(at, model, 0o600))
}

// Whatever a model does to what opens it, the server goes on: it serves the good one
// and reloads it.
func TestABombEndsItsTrialOnly(t *testing.T) {
	for name, want := range map[string]string{
		"functions":  "opening the model",
		"folding":    "opening the model",
		"huge_input": "warming up",
		"greedy":     "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			bomb(t, folder, name, "bomb/1/model.onnx")
			install(t, folder, map[string]string{"good/1/model.onnx": "constant_1"})
			c, _ := newCatalog(t, folder, serving.Options{Trials: trials(t, trial.Options{Timeout: 10 * time.Second, Memory: 512 << 20})})
			require.NoError(t, c.LoadAll(t.Context()))
			assertOne(t, c, "good", "1", 2)
			t.Log(c.Failures())
			if want == "" {
				require.NoError(t, c.Failures(), "its one run fails, and no other")
			} else {
				require.ErrorContains(t, c.Failures(), want)
			}
			install(t, folder, map[string]string{"good/2/model.onnx": "constant_2"})
			require.NoError(t, c.LoadModel(t.Context(), "good"))
			assertOne(t, c, "good", "2", 3)
		})
	}
}

// computing reports whether a child of this process has computed for longer than it
// takes to start.
func computing(t *testing.T) bool {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(children)) {
			stat, _ := os.ReadFile("/proc/" + child + "/stat")
			if fields := strings.Fields(string(stat)); len(fields) > 13 {
				if hundredths, _ := strconv.Atoi(fields[13]); hundredths > 50 {
					return true
				}
			}
		}
	}
	return false
}

// watchedTried polls a folder whose model "slow" takes a minute in its trial, and
// waits until that is under way.
func watchedTried(t *testing.T, files map[string]string) (c *serving.Catalog, folder string) {
	t.Helper()
	folder = t.TempDir()
	install(t, folder, files)
	install(t, folder, slowLoad())
	c, _ = newCatalog(t, folder, serving.Options{Trials: trials(t, trial.Options{})})
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Watch(t.Context(), repository.NewWatcher(folder, 10*time.Millisecond))
	}()
	t.Cleanup(func() { <-done })
	require.Eventually(t, func() bool { return loadingSlow(c) && computing(t) }, 20*time.Second, 10*time.Millisecond)
	return c, folder
}

func TestAtTheFirstStartAModelIsServedWhileAnotherIsTried(t *testing.T) {
	c, folder := watchedTried(t, map[string]string{"m/1/model.onnx": "constant_1"})
	require.Eventually(t, func() bool { _, err := c.Choose("m", ""); return err == nil }, 20*time.Second, time.Millisecond)
	assertOne(t, c, "m", "1", 2)
	require.Error(t, c.Ready())

	install(t, folder, map[string]string{"m/2/model.onnx": "constant_2", "n/1/model.onnx": "constant_1"})
	require.Eventually(t, func() bool { _, err := c.Choose("n", ""); return err == nil }, 20*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { v, err := c.Choose("m", ""); return err == nil && v.Number == "2" }, 20*time.Second, time.Millisecond)
	require.NoError(t, c.UnloadModel(t.Context(), "m"))
	assert.True(t, loadingSlow(c))
}

func TestAModelThatHasChangedIsTriedAnew(t *testing.T) {
	c, folder := watchedTried(t, nil)
	install(t, folder, map[string]string{"slow/1/model.onnx": "constant_1", "slow/1/golden.ndjson": goldenLine("2")})
	require.Eventually(t, func() bool { return c.Ready() == nil }, 20*time.Second, time.Millisecond, "the trial of what is gone is given up")
	assertOne(t, c, "slow", "1", 2)
}

func TestAModelThatGoesWhileItIsTried(t *testing.T) {
	c, folder := watchedTried(t, nil)
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "slow")))
	require.Eventually(t, func() bool { return !loadingSlow(c) && len(c.Index()) == 0 }, 20*time.Second, time.Millisecond)
}

func TestUnloadEndsALoad(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1"}, "")
	stop := beginSlowLoad(t, c, folder, byRequest)
	require.NoError(t, c.UnloadModel(t.Context(), "slow"))
	require.ErrorContains(t, stop(), "was unloaded while it was loaded")
	assert.Contains(t, c.Index(), serving.IndexEntry{Name: "slow", State: serving.StateUnavailable, Reason: "unloaded"})
}

func TestCloseEndsTrials(t *testing.T) {
	c, _ := watchedTried(t, nil)
	c.Close()
	assert.Empty(t, c.Models())
}

func TestALoadHasADeadline(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, slowLoad())
	c, _ := newCatalog(t, folder, serving.Options{LoadTimeout: 50 * time.Millisecond})
	require.NoError(t, c.LoadAll(t.Context()))
	require.ErrorContains(t, c.Failures(), "did not end within 50ms (repository.loadTimeout)")
	c, _ = newCatalog(t, folder, serving.Options{Trials: trials(t, trial.Options{Timeout: 2 * time.Second})})
	require.NoError(t, c.LoadAll(t.Context()))
	require.ErrorContains(t, c.Failures(), "did not end within 2s, reproducing the golden answers")
}
