package api_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/onnx/onnxtest"
)

// late returns the number of runs that are late, by the metrics.
func (f *fixture) late(t *testing.T) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != "slipway_late_runs" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetValue() == "deaf" {
					return m.GetGauge().GetValue()
				}
			}
		}
	}
	return -1
}

// A deadline ends the wait of a caller also when native code does not look whether it
// should end; the run goes on by itself, and the model serves when it has ended.
func TestADeadlineEndsTheWaitForNativeCode(t *testing.T) {
	folder := onnxtest.Repository(t, map[string]string{"deaf/1/model.onnx": "deaf", "plus/1/model.onnx": "constant_1"})
	require.NoError(t, os.WriteFile(filepath.Join(folder, "deaf/config.yaml"), []byte("instances: {count: 1}\nqueue: {timeout: 0s}\n"), 0o600))
	f := start(t, folder, nil)
	ask := func(n int64, timeout time.Duration) prediction {
		p := prediction{model: "deaf", input: "n", datatype: "INT64", values: []int64{n}}
		if timeout > 0 {
			p.parameters = map[string]int64{"timeout": timeout.Microseconds()}
		}
		return p
	}
	for protocol, predict := range protocols {
		refused(t, predict(t, f, ask(1800, 500*time.Millisecond)), fault.DeadlineExceeded)
		assert.Equal(t, 1.0, f.late(t), protocol)
		assert.NoError(t, predict(t, f, plus()), "other models serve")
		assert.NoError(t, f.api.Live())
		require.NoError(t, predict(t, f, ask(1, 0)), "it waits for the run that is late")
		assert.Equal(t, 0.0, f.late(t), protocol)
	}
}
