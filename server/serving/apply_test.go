package serving_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/repository"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// one sends 1 to a model that adds a constant.
func one(ctx context.Context, c *serving.Catalog, model string) (version string, y float32, err error) {
	v, err := c.Acquire(model, "")
	if err != nil {
		return "", 0, err
	}
	defer v.Release()
	x := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{1, 1}, Data: []float32{1}}
	response, err := v.Infer(ctx, serving.Request{Inputs: []tensor.Named{{Name: "x", Value: x}}})
	if err != nil {
		return v.Number, 0, err
	}
	return v.Number, response.Outputs[0].Value.(*tensor.Tensor).Data.([]float32)[0], nil
}

func assertOne(t *testing.T, c *serving.Catalog, model, version string, y float32) {
	t.Helper()
	gotVersion, got, err := one(t.Context(), c, model)
	require.NoError(t, err)
	assert.Equal(t, version, gotVersion)
	assert.Equal(t, y, got)
}

func TestANewVersionTakesOver(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1"}, "")
	assertOne(t, c, "m", "1", 2)

	install(t, folder, map[string]string{"m/2/model.onnx": "constant_2"})
	require.NoError(t, c.LoadAll(t.Context()))
	assertOne(t, c, "m", "2", 3)
	_, err := c.Choose("m", "1")
	assert.Equal(t, fault.NotFound, fault.CodeOf(err), "latest: 1")

	install(t, folder, map[string]string{"m/config.yaml": "versions: {all: true}"})
	require.NoError(t, c.LoadAll(t.Context()))
	m, err := c.Model("m")
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, m.Numbers())
}

func TestWhatHasNotChangedIsNotLoadedAgain(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "constant_1"}, "")
	before, err := c.Choose("m", "")
	require.NoError(t, err)
	install(t, folder, map[string]string{"n/1/model.onnx": "constant_2"})
	require.NoError(t, c.LoadAll(t.Context()))
	after, err := c.Choose("m", "")
	require.NoError(t, err)
	assert.Same(t, before, after)
	assertOne(t, c, "n", "1", 3)
}

// Whatever is wrong with a new version, the old one goes on serving, and the index
// and the failures say why.
func TestABadModelNeverHurtsTheOldOne(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"corrupt version":      {map[string]string{"m/2/model.onnx": "corrupt"}, "corrupt"},
		"corrupt same version": {map[string]string{"m/1/model.onnx": "corrupt"}, "m/1/model.onnx"},
		"golden mismatch": {map[string]string{"m/2/model.onnx": "constant_2", "m/2/golden.ndjson": goldenLine("2")},
			"golden answer 1"},
		"unreadable golden":    {map[string]string{"m/2/model.onnx": "constant_2", "m/2/golden.ndjson": "{"}, "golden.ndjson"},
		"unknown setting":      {map[string]string{"m/config.yaml": "batchingg: {}"}, "batchingg"},
		"contradiction":        {map[string]string{"m/config.yaml": "versions: {all: true, latest: 2}"}, "versions"},
		"pbtxt that disagrees": {map[string]string{"m/config.pbtxt": `input [{ name: "z", data_type: TYPE_FP32, dims: [1] }]`}, `"z"`},
		"manifest that is wrong": {map[string]string{"m/2/model.onnx": "constant_2",
			"m/2/MANIFEST.json": `{"files": {"model.onnx": "sha256:00"}}`}, "model.onnx"},
	} {
		t.Run(name, func(t *testing.T) {
			c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1"}, "")
			install(t, folder, test.files)
			require.NoError(t, c.LoadAll(t.Context()))
			assertOne(t, c, "m", "1", 2)
			require.NoError(t, c.Ready())
			require.ErrorContains(t, c.Failures(), test.want)
			states := map[string]bool{}
			for _, entry := range c.Index() {
				states[entry.State] = true
			}
			assert.Equal(t, map[string]bool{serving.StateReady: true, serving.StateUnavailable: true}, states)
		})
	}
}

func goldenLine(response string) string {
	return `{"request":{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]},` +
		`"response":{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[` + response + `]}]},` +
		`"tolerance":{"absolute":0.00001,"relative":0.0001}}` + "\n"
}

func TestAModelIsReadyWhenItReproducesItsGoldenAnswers(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("2")}, "")
	require.NoError(t, c.Ready())
	assertOne(t, c, "m", "1", 2)
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(folder, "m/1/golden.ndjson"), v.Golden())

	c, _ = load(t, map[string]string{"m/1/model.onnx": "constant_1", "m/1/golden.ndjson": goldenLine("2.1")}, "")
	assert.ErrorContains(t, c.Ready(), "golden answer 1")
}

func TestAModelThatLeavesTheFolderIsUnloaded(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "constant_2"}, "")
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "m")))
	require.NoError(t, c.LoadAll(t.Context()))
	_, err := c.Choose("m", "")
	assert.Equal(t, fault.NotFound, fault.CodeOf(err))
	assertOne(t, c, "", "1", 3)
}

func TestLoadAndUnload(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "constant_2"}, "")
	require.NoError(t, c.UnloadModel(t.Context(), "m"))
	_, err := c.Choose("m", "")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
	require.NoError(t, c.Ready(), "an unloaded model is not required")
	require.NoError(t, c.LoadAll(t.Context()))
	_, err = c.Choose("m", "")
	require.Error(t, err, "another scan of the folder does not load it again")

	require.NoError(t, c.LoadModel(t.Context(), "m"))
	assertOne(t, c, "m", "1", 2)
	install(t, folder, map[string]string{"m/1/model.onnx": "corrupt"})
	assert.Equal(t, fault.InvalidArgument, fault.CodeOf(c.LoadModel(t.Context(), "m")))
	assertOne(t, c, "m", "1", 2)
	assert.Equal(t, fault.NotFound, fault.CodeOf(c.LoadModel(t.Context(), "absent")))
	assert.Equal(t, fault.NotFound, fault.CodeOf(c.UnloadModel(t.Context(), "absent")))
}

func TestLoadSelected(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "corrupt"})
	c, _ := newCatalog(t, folder, serving.Options{})
	require.ErrorContains(t, c.LoadSelected(t.Context(), []string{"z"}), `no model "z"`)
	require.NoError(t, c.LoadSelected(t.Context(), []string{"m"}))
	require.NoError(t, c.Ready())
	assertOne(t, c, "m", "1", 2)
	assert.Contains(t, c.Index(), serving.IndexEntry{Name: "n", State: serving.StateUnavailable, Reason: "unloaded"})
}

// Versions are swapped under load: no request fails, and each response is that
// of the version it names.
func TestSwapUnderLoad(t *testing.T) {
	folder := t.TempDir()
	config := "versions: {latest: 1}\nbatching: {maxBatchSize: 8}\nqueue: {maxRequests: 1000}\n"
	install(t, folder, map[string]string{"m/1/model.onnx": "constant_1", "m/config.yaml": config})
	c, _ := newCatalog(t, folder, serving.Options{})
	ctx, stop := context.WithCancel(t.Context())
	w := repository.NewWatcher(folder, 5*time.Millisecond)
	first, err := w.Next(ctx)
	require.NoError(t, err)
	c.Apply(ctx, first)
	var all sync.WaitGroup
	all.Go(func() { c.Watch(ctx, w) })

	var answered atomic.Int64
	var newest atomic.Int64
	for range 16 {
		all.Go(func() {
			for ctx.Err() == nil {
				version, y, err := one(context.WithoutCancel(ctx), c, "m")
				if !assert.NoError(t, err) {
					return
				}
				answered.Add(1)
				var number int
				_, _ = fmt.Sscan(version, &number)
				if !assert.Equal(t, float32(2+(number+1)%2), y, "version %s", version) {
					return
				}
				newest.Store(int64(number))
			}
		})
	}
	for number := 2; number <= 12; number++ {
		model := []string{"constant_1", "constant_2"}[(number+1)%2]
		install(t, folder, map[string]string{fmt.Sprintf("m/%d/model.onnx", number): model})
		require.Eventually(t, func() bool { return newest.Load() == int64(number) }, 20*time.Second, time.Millisecond)
	}
	stop()
	all.Wait()
	assert.Greater(t, answered.Load(), int64(100))
}
