package serving_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// TestMain makes this binary the child of trials too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "trial" {
		if err := trial.Main(setUp, serving.Prove); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	onnxtest.Main(m)
}

func setUp(library string, l trial.Limits) error {
	onnx.LimitMemory(l.Memory)
	return onnx.Init(library)
}

func newCatalog(t *testing.T, folder string, o serving.Options) (*serving.Catalog, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	return newCatalogOn(t, prometheus.NewRegistry(), log, folder, o), log
}

func newCatalogOn(t *testing.T, r prometheus.Registerer, log io.Writer, folder string, o serving.Options) *serving.Catalog {
	t.Helper()
	o.Folder, o.Processors, o.IntraOpThreads = folder, 2, 1
	c := serving.NewCatalog(o, telemetry.NewLogger(log, slog.LevelInfo), telemetry.NewMetrics(r, telemetry.Build{}))
	t.Cleanup(c.Close)
	return c
}

// load serves a repository: a path that ends in .onnx has the name of a test
// model, any other its text.
func load(t *testing.T, files map[string]string, defaultModel string) (c *serving.Catalog, folder string) {
	t.Helper()
	folder = t.TempDir()
	install(t, folder, files)
	c, _ = newCatalog(t, folder, serving.Options{DefaultModel: defaultModel})
	require.NoError(t, c.LoadAll(t.Context()))
	return c, folder
}

func install(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for path, content := range files {
		at := filepath.Join(folder, filepath.FromSlash(path))
		if strings.HasSuffix(path, ".onnx") {
			onnxtest.Put(t, at, content)
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(content), 0o644))
	}
}

var twoModels = map[string]string{
	"a/2/model.onnx": "constant_2", "a/10/model.onnx": "constant_1", "a/config.yaml": "versions: {all: true}",
	"b/1/model.onnx": "add_sub",
}

func TestChoose(t *testing.T) {
	c, _ := load(t, twoModels, "b")
	for _, test := range []struct {
		model, version string
		want           string
		code           fault.Code
	}{
		{model: "a", want: "a 10"},
		{model: "a", version: "2", want: "a 2"},
		{want: "b 1"},
		{model: "a", version: "3", code: fault.NotFound},
		{model: "a", version: "02", code: fault.NotFound},
		{model: "c", code: fault.NotFound},
	} {
		v, err := c.Choose(test.model, test.version)
		if test.want == "" {
			require.Error(t, err)
			assert.Equal(t, test.code, fault.CodeOf(err))
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, test.want, v.Model+" "+v.Number)
	}
}

func TestTheOnlyModelIsTheDefault(t *testing.T) {
	c, _ := load(t, map[string]string{"only.onnx": "constant_1"}, "")
	v, err := c.Choose("", "")
	require.NoError(t, err)
	assert.Equal(t, "only", v.Model)

	c, _ = load(t, twoModels, "")
	_, err = c.Choose("", "")
	assert.ErrorContains(t, err, `"a", "b"`)
}

func TestADefaultModelThatIsNotThereIsNotReady(t *testing.T) {
	c, _ := load(t, twoModels, "z")
	require.ErrorContains(t, c.Ready(), `no model "z"; it has "a", "b"`)
	assert.Equal(t, fault.Unavailable, fault.CodeOf(c.Ready()))
}

func TestAVersionThatCannotBeLoadedLeavesTheOthers(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{"m/1/model.onnx": "constant_1", "m/2/model.onnx": "corrupt", "m/config.yaml": "versions: {all: true}"})
	c, log := newCatalog(t, folder, serving.Options{})
	require.NoError(t, c.LoadAll(t.Context()))
	require.NoError(t, c.Ready())
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	assert.Equal(t, "1", v.Number)
	require.ErrorContains(t, c.Failures(), `model "m": version 2`)
	assert.Contains(t, log.String(), "model not loaded")
	_, err = c.Choose("m", "2")
	assert.ErrorContains(t, err, "could not be loaded")
}

func TestInferChecksBeforeItRuns(t *testing.T) {
	c, _ := load(t, twoModels, "")
	v, err := c.Choose("b", "")
	require.NoError(t, err)
	row := func(name string, n int64) tensor.Named {
		return tensor.Named{Name: name, Value: &tensor.Tensor{DType: tensor.Int32, Shape: []int64{1, n}, Data: make([]int32, n)}}
	}
	both := []tensor.Named{row("INPUT1", 16), row("INPUT0", 16)}
	for want, request := range map[string]struct {
		inputs  []tensor.Named
		outputs []string
	}{
		`no input "X"; its inputs are "INPUT0", "INPUT1"`:     {inputs: append([]tensor.Named{row("X", 16)}, both...)},
		`input "INPUT1": missing; expected INT32 [-1,16]`:     {inputs: both[1:]},
		`input "INPUT0": given twice`:                         {inputs: append([]tensor.Named{row("INPUT0", 16)}, both...)},
		`got shape [1,3], expected [-1,16]`:                   {inputs: []tensor.Named{row("INPUT0", 3), row("INPUT1", 16)}},
		`must be a tensor`:                                    {inputs: []tensor.Named{{Name: "INPUT0", Value: tensor.Sequence{}}}},
		`no output "Y"; its outputs are "OUTPUT0", "OUTPUT1"`: {inputs: both, outputs: []string{"Y"}},
	} {
		_, err := v.Infer(t.Context(), serving.Request{Inputs: request.inputs, Outputs: request.outputs})
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
	response, err := v.Infer(t.Context(), serving.Request{Inputs: both, Outputs: []string{"OUTPUT1"}})
	require.NoError(t, err)
	require.Len(t, response.Outputs, 1)
}

func TestEmptyBatch(t *testing.T) {
	c, _ := load(t, map[string]string{"m.onnx": "identity_fp32"}, "")
	v, err := c.Choose("", "")
	require.NoError(t, err)
	empty := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{0, 3}, Data: []float32{}}
	response, err := v.Infer(t.Context(), serving.Request{Inputs: []tensor.Named{{Name: "x", Value: empty}}})
	require.NoError(t, err)
	assert.Equal(t, []int64{0, 3}, response.Outputs[0].Value.(*tensor.Tensor).Shape)
}
