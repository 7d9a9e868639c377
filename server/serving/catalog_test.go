package serving_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
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
)

func TestMain(m *testing.M) { onnxtest.Main(m) }

func newCatalog(t *testing.T) (*serving.Catalog, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	c := serving.NewCatalog(telemetry.NewLogger(log, slog.LevelInfo), telemetry.NewMetrics(prometheus.NewRegistry(), telemetry.Build{}))
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c, log
}

func load(t *testing.T, files map[string]string, defaultModel string) *serving.Catalog {
	t.Helper()
	c, _ := newCatalog(t)
	require.NoError(t, c.Load(onnxtest.Repository(t, files), defaultModel, onnx.Options{IntraOpThreads: 1}))
	return c
}

var twoModels = map[string]string{"a/2/model.onnx": "constant_2", "a/10/model.onnx": "constant_1", "b/1/model.onnx": "add_sub"}

func TestChoose(t *testing.T) {
	c := load(t, twoModels, "b")
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
	v, err := load(t, map[string]string{"only.onnx": "constant_1"}, "").Choose("", "")
	require.NoError(t, err)
	assert.Equal(t, "only", v.Model)

	_, err = load(t, twoModels, "").Choose("", "")
	assert.ErrorContains(t, err, "a, b")
}

func TestLoadRefusesADefaultModelThatIsNotThere(t *testing.T) {
	c, _ := newCatalog(t)
	err := c.Load(onnxtest.Repository(t, twoModels), "z", onnx.Options{IntraOpThreads: 1})
	require.ErrorContains(t, err, `no model "z"; it has a, b`)
	assert.Equal(t, fault.Unavailable, fault.CodeOf(c.Ready()), "nothing became current")
}

func TestAVersionThatCannotBeLoadedLeavesTheOthers(t *testing.T) {
	c, log := newCatalog(t)
	repository := onnxtest.Repository(t, map[string]string{"m/1/model.onnx": "constant_1", "m/2/model.onnx": "corrupt"})
	require.NoError(t, c.Load(repository, "", onnx.Options{IntraOpThreads: 1}))
	require.NoError(t, c.Ready())
	v, err := c.Choose("m", "")
	require.NoError(t, err)
	assert.Equal(t, "1", v.Number)
	require.ErrorContains(t, c.Failures(), `model "m" version 2`)
	assert.Contains(t, log.String(), "model not loaded")

	require.NoError(t, os.Remove(filepath.Join(repository, "m/1/model.onnx")))
	assert.Error(t, c.Load(repository, "", onnx.Options{IntraOpThreads: 1}), "version 1 has no file now")
}

func TestInferChecksBeforeItRuns(t *testing.T) {
	v, err := load(t, twoModels, "").Choose("b", "")
	require.NoError(t, err)
	row := func(name string, n int64) tensor.Named {
		return tensor.Named{Name: name, Value: &tensor.Tensor{DType: tensor.Int32, Shape: []int64{1, n}, Data: make([]int32, n)}}
	}
	both := []tensor.Named{row("INPUT1", 16), row("INPUT0", 16)}
	for want, ask := range map[string]struct {
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
		_, err := v.Infer(ask.inputs, ask.outputs)
		require.ErrorContains(t, err, want)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
	}
	answer, err := v.Infer(both, []string{"OUTPUT1"})
	require.NoError(t, err)
	require.Len(t, answer, 1)
}

func TestEmptyBatch(t *testing.T) {
	v, err := load(t, map[string]string{"m.onnx": "identity_fp32"}, "").Choose("", "")
	require.NoError(t, err)
	empty := &tensor.Tensor{DType: tensor.FP32, Shape: []int64{0, 3}, Data: []float32{}}
	answer, err := v.Infer([]tensor.Named{{Name: "x", Value: empty}}, nil)
	require.NoError(t, err)
	assert.Equal(t, []int64{0, 3}, answer[0].Value.(*tensor.Tensor).Shape)
}
