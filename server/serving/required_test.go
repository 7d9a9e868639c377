package serving_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/serving"
)

// What is beside a good model, at the start and later, takes no pod out of service.
func TestABadModelTakesNoPodOut(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, folder string){
		"an empty folder": func(t *testing.T, folder string) { require.NoError(t, os.Mkdir(filepath.Join(folder, "x"), 0o755)) },
		"a cut file":      func(t *testing.T, folder string) { install(t, folder, map[string]string{"x/1/model.onnx": "corrupt"}) },
		"a README": func(t *testing.T, folder string) {
			require.NoError(t, os.Mkdir(filepath.Join(folder, "x"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "x", "README.md"), nil, 0o600))
		},
		"a typing error": func(t *testing.T, folder string) {
			install(t, folder, map[string]string{"x/1/model.onnx": "constant_1", "x/config.yaml": "batchingg: {}"})
		},
		"golden answers of another": func(t *testing.T, folder string) {
			install(t, folder, map[string]string{"x/1/model.onnx": "constant_2", "x/1/golden.ndjson": goldenLine("2")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, folder)
			alone, _ := newCatalog(t, folder, serving.Options{})
			require.Error(t, alone.Ready(), "nothing is loaded yet")
			require.NoError(t, alone.LoadAll(t.Context()))
			require.ErrorContains(t, alone.Ready(), `model "x"`, "nothing can be served")

			install(t, folder, map[string]string{"good/1/model.onnx": "constant_1"})
			c, _ := newCatalog(t, folder, serving.Options{})
			require.NoError(t, c.LoadAll(t.Context()))
			require.NoError(t, c.Ready())
			require.Error(t, modelReady(t, c, "x"))
			require.Error(t, c.Failures())

			explicit, _ := newCatalog(t, folder, serving.Options{Explicit: true})
			require.NoError(t, explicit.LoadSelected(t.Context(), nil))
			require.NoError(t, explicit.Ready(), "none was to be loaded")
			require.Error(t, explicit.LoadModel(t.Context(), "x"))
			require.NoError(t, explicit.Ready(), "a load that was refused")
			require.NoError(t, explicit.LoadModel(t.Context(), "good"))
			require.NoError(t, explicit.UnloadModel(t.Context(), "good"))
			require.NoError(t, explicit.Ready(), "as an operator wants it")

			selected, _ := newCatalog(t, folder, serving.Options{Explicit: true})
			require.NoError(t, selected.LoadSelected(t.Context(), []string{"x"}))
			require.Error(t, selected.Ready(), "nothing of what was to be loaded serves")
		})
	}
}

// A model that is required is waited for, and its loss is that of the pod.
func TestRequiredModels(t *testing.T) {
	for name, o := range map[string]serving.Options{
		"required":                 {Required: []string{"a", "b"}},
		"the default":              {DefaultModel: "b"},
		"required and the default": {Required: []string{"a"}, DefaultModel: "b"},
		"by request":               {Required: []string{"b"}, Explicit: true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			install(t, folder, map[string]string{"a/1/model.onnx": "constant_1", "c/1/model.onnx": "corrupt"})
			c, _ := newCatalog(t, folder, o)
			require.NoError(t, c.LoadAll(t.Context()))
			require.ErrorContains(t, c.Ready(), `no model "b"`)
			install(t, folder, map[string]string{"b/1/model.onnx": "corrupt"})
			require.NoError(t, c.LoadAll(t.Context()))
			require.ErrorContains(t, c.Ready(), `model "b"`)
			install(t, folder, map[string]string{"b/1/model.onnx": "constant_2"})
			require.NoError(t, c.LoadAll(t.Context()))
			require.NoError(t, c.Ready())
			require.NoError(t, c.UnloadModel(t.Context(), "b"))
			require.Error(t, c.Ready())
		})
	}
}

// Required models that serve make the catalog ready while others are still loaded.
func TestReadyBeforeTheSlowestModel(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"a/1/model.onnx": "constant_1"})
	c, _ := newCatalog(t, folder, serving.Options{Required: []string{"a"}, Processors: 2})
	stop := beginSlowLoad(t, c, folder, func(ctx context.Context, c *serving.Catalog) error { return c.LoadAll(ctx) })
	require.Eventually(t, func() bool { return c.Ready() == nil }, 20*time.Second, time.Millisecond)
	assertOne(t, c, "a", "1", 2)
	require.Len(t, c.Models(), 1)
	assert.Equal(t, []serving.IndexEntry{{Name: "a", Version: "1", State: serving.StateReady}, {Name: "slow", Version: "1", State: serving.StateLoading}}, c.Index())
	_ = stop()
}
