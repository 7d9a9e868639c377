package serving_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
)

// gauge returns the value of a series without version; -1 when there is none.
func gauge(t *testing.T, r *prometheus.Registry, name, model string) float64 {
	t.Helper()
	all, err := r.Gather()
	require.NoError(t, err)
	for _, family := range all {
		for _, metric := range family.GetMetric() {
			labels := metric.GetLabel()
			if family.GetName() == name && (model == "" || len(labels) > 0 && labels[0].GetValue() == model) {
				return metric.GetGauge().GetValue()
			}
		}
	}
	return -1
}

// pass lets two scans of a watched folder pass, so that a change counts.
func pass() {
	time.Sleep(3 * time.Second)
	synctest.Wait()
}

func modelReady(t *testing.T, c *serving.Catalog, name string) error {
	t.Helper()
	m, err := c.Model(name)
	require.NoError(t, err)
	return m.Ready()
}

// A model that is being copied into the repository of a server that is ready has its
// own readiness, one line in the log and one in the index, until it is whole.
func TestAModelThatIsBeingCopiedTakesNoPodOut(t *testing.T) {
	folder := t.TempDir()
	at := func(path string) string { return filepath.Join(folder, path) }
	put := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(at(path)), 0o755))
		require.NoError(t, os.WriteFile(at(path), []byte(text), 0o600))
	}
	install(t, folder, map[string]string{"a/1/model.onnx": "constant_1"})
	whole, err := os.ReadFile(onnxtest.Model(t, "constant_2"))
	require.NoError(t, err)
	watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer) {
		require.NoError(t, c.Ready())
		for i, step := range []struct {
			name string
			do   func()
		}{
			{"an empty folder", func() { require.NoError(t, os.Mkdir(at("x"), 0o755)) }},
			{"an empty version", func() { require.NoError(t, os.Mkdir(at("x/1"), 0o755)) }},
			{"the manifest", func() {
				put("x/1/MANIFEST.json", fmt.Sprintf(`{"files": {"model.onnx": "%x"}}`, sha256.Sum256(whole)))
			}},
			{"half of the model", func() { put("x/1/model.onnx", string(whole[:len(whole)/2])) }},
			{"more of it", func() { put("x/1/model.onnx", string(whole[:len(whole)-1])) }},
		} {
			step.do()
			for range 10 {
				pass()
				require.NoError(t, c.Ready(), step.name)
			}
			put(fmt.Sprintf("notes%d.txt", i), "")
			require.ErrorContains(t, modelReady(t, c, "x"), "incomplete", step.name)
			assert.Equal(t, fault.Unavailable, fault.CodeOf(modelReady(t, c, "x")))
			assert.Zero(t, gauge(t, r, "slipway_model_ready", "x"), step.name)
		}
		assert.Equal(t, 1., gauge(t, r, "slipway_model_ready", "a"))
		assert.LessOrEqual(t, strings.Count(log.String(), "model not loaded"), 2, "of the model, and of its version: %s", log)
		assert.Equal(t, 1, strings.Count(log.String(), "notes0.txt"), "an entry that is not read is logged once")
		assert.NotContains(t, strings.ReplaceAll(log.String(), `"level":"ERROR","msg":"left out`, ""), `"level":"ERROR"`)
		assert.Contains(t, log.String(), "incomplete")
		index := c.Index()
		require.Len(t, index, 2)
		assert.Equal(t, serving.StateUnavailable, index[1].State)
		assert.Contains(t, index[1].Reason, "incomplete")

		put("x/1/model.onnx", string(whole))
		pass()
		require.NoError(t, modelReady(t, c, "x"))
		assert.Equal(t, 1., gauge(t, r, "slipway_model_ready", "x"))
		require.NoError(t, os.RemoveAll(at("x")))
		pass()
		assert.Equal(t, -1., gauge(t, r, "slipway_model_ready", "x"), "the series goes with the model")
	})
}

// Models that go or break one by one leave a server ready as long as one can be called.
func TestALostModelTakesNoPodOut(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"a/1/model.onnx": "constant_1", "b/1/model.onnx": "constant_2"})
	c, _ := newCatalog(t, folder, serving.Options{})
	require.NoError(t, c.LoadAll(t.Context()))
	require.NoError(t, c.Ready())
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "a")))
	install(t, folder, map[string]string{"z/1/model.onnx": "corrupt"})
	require.NoError(t, c.LoadAll(t.Context()))
	require.NoError(t, c.Ready())
	_, err := c.Model("a")
	assert.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Error(t, modelReady(t, c, "z"))

	require.NoError(t, c.UnloadModel(t.Context(), "b"))
	require.Error(t, c.Ready(), "none can be called")
}

// A repository that has lost all of its models, as when its volume is away, unloads
// none of them.
func TestARepositoryThatLostAllModelsUnloadsNone(t *testing.T) {
	for name, put := range map[string]func(folder string) error{
		"no folder":                    func(string) error { return nil },
		"a file in its place":          func(folder string) error { return os.WriteFile(folder, nil, 0o600) },
		"an empty folder in its place": func(folder string) error { return os.Mkdir(folder, 0o755) },
		"a volume's empty folder":      func(folder string) error { return os.MkdirAll(filepath.Join(folder, "lost+found"), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "models")
			install(t, folder, map[string]string{"a/1/model.onnx": "constant_1", "b/1/model.onnx": "constant_2"})
			watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer) {
				require.NoError(t, os.Rename(folder, folder+".away"))
				require.NoError(t, put(folder))
				for range 10 {
					pass()
					require.NoError(t, c.Ready())
					require.NoError(t, modelReady(t, c, "a"))
					require.NoError(t, modelReady(t, c, "b"))
					assert.Equal(t, 1., gauge(t, r, "slipway_repository_fault", ""))
				}
				assert.Equal(t, 1, strings.Count(log.String(), "the models stay as they are"))

				require.NoError(t, os.RemoveAll(folder))
				require.NoError(t, os.Rename(folder+".away", folder))
				pass()
				assert.Zero(t, gauge(t, r, "slipway_repository_fault", ""), "it has passed")
				assert.Equal(t, 2, strings.Count(log.String(), "model loaded"), "nothing is loaded again")
				require.NoError(t, os.RemoveAll(filepath.Join(folder, "a")))
				pass()
				_, err := c.Model("a")
				assert.Equal(t, fault.NotFound, fault.CodeOf(err), "one that goes alone is unloaded")
			})
		})
	}
}

// An operator confirms that the models are gone by unloading each of them; models
// that come into the folder replace those that were lost.
func TestALossIsConfirmed(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"a/1/model.onnx": "constant_1", "b/1/model.onnx": "constant_2"})
	watched(t, folder, func(t *testing.T, c *serving.Catalog, r *prometheus.Registry, log *bytes.Buffer) {
		for _, model := range []string{"a", "b"} {
			require.NoError(t, os.RemoveAll(filepath.Join(folder, model)))
		}
		pass()
		for _, entry := range c.Index() {
			assert.Equal(t, serving.StateReady, entry.State)
			assert.Contains(t, entry.Reason, "lost all of its models")
		}
		assert.Equal(t, 1, strings.Count(log.String(), "repository not applied"))
		require.NoError(t, c.UnloadModel(t.Context(), "a"))
		assert.Equal(t, 1., gauge(t, r, "slipway_repository_fault", ""))
		require.NoError(t, c.UnloadModel(t.Context(), "b"))
		assert.Zero(t, gauge(t, r, "slipway_repository_fault", ""))
		require.Error(t, modelReady(t, c, "a"))

		install(t, folder, map[string]string{"c/1/model.onnx": "constant_1"})
		pass()
		require.NoError(t, modelReady(t, c, "c"))
		require.Len(t, c.Models(), 1)
		require.NoError(t, os.RemoveAll(filepath.Join(folder, "c")))
		pass()
		require.NoError(t, modelReady(t, c, "c"))
		install(t, folder, map[string]string{"d/1/model.onnx": "constant_2"})
		pass()
		require.NoError(t, modelReady(t, c, "d"))
		require.Len(t, c.Models(), 1, "another repository took the place of the lost one")
	})
}

// What an author of a model's folder puts there neither keeps the others from being
// served nor shows a file of the server.
func TestAHostileFolderHarmsNoOther(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(outside, []byte("sk-hunter2: admin\n"), 0o600))
	folder := t.TempDir()
	install(t, folder, map[string]string{"good/1/model.onnx": "constant_1", "x/1/model.onnx": "constant_1"})
	path := func(name string) string { return filepath.Join(folder, "x", name) }
	for _, hostile := range []struct {
		name string
		put  func(path string) error
	}{
		{"config.yaml", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"config.yaml", func(path string) error { return os.Symlink(outside, path) }},
		{"config.yaml", func(path string) error {
			return os.WriteFile(path, []byte("batching: {maxBatchSize: 4611686018427387904}"), 0o600)
		}},
		{"config.yaml", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("["), 100_000), 0o600) }},
		{"config.pbtxt", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("input {"), 100_000), 0o600) }},
		{"1/golden.ndjson", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"1/golden.ndjson", func(path string) error { return os.Symlink(outside, path) }},
		{"1/golden.ndjson", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("["), 1<<20), 0o600) }},
		{"1/golden.ndjson", func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<30)
		}},
		{"1/MANIFEST.json", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"1/MANIFEST.json", func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("["), 1<<20), 0o600) }},
	} {
		require.NoError(t, hostile.put(path(hostile.name)))
		c, log := newCatalog(t, folder, serving.Options{})
		require.NoError(t, c.LoadAll(t.Context()))
		require.NoError(t, modelReady(t, c, "good"))
		err := modelReady(t, c, "x")
		require.Error(t, err, hostile.name)
		assert.NotContains(t, err.Error()+log.String(), "hunter2")
		assert.Less(t, len(err.Error()), 3000)
		c.Close()
		require.NoError(t, os.Remove(path(hostile.name)))
	}
}

// A model refers to files in its own folder only.
func TestExternalDataIsNotReadThroughALinkOutOfTheFolder(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	version := filepath.Join(folder, "m", "1")
	installExternal(t, version)
	for _, to := range []string{outside, folder} {
		data := filepath.Join(version, "external.data")
		require.NoError(t, os.Rename(data, filepath.Join(to, "external.data")))
		require.NoError(t, os.Symlink(filepath.Join(to, "external.data"), data))
		c, _ := newCatalog(t, folder, serving.Options{})
		require.NoError(t, c.LoadAll(t.Context()))
		assert.ErrorContains(t, c.Ready(), "link")
		assert.ErrorContains(t, c.Ready(), "external.data")
		require.NoError(t, os.Rename(filepath.Join(to, "external.data"), data))
	}
}
