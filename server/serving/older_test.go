package serving_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/serving"
)

// A server that starts beside a broken newest version serves what one does that ran
// before it came.
func TestABrokenNewestVersion(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		serve []string
		fail  []string
	}{
		"the newest":         {map[string]string{"m/3/model.onnx": "corrupt"}, []string{"2"}, []string{"3"}},
		"the newest two":     {map[string]string{"m/3/model.onnx": "corrupt", "m/2/golden.ndjson": goldenLine("7")}, []string{"1"}, []string{"3", "2"}},
		"one of the two":     {map[string]string{"m/3/model.onnx": "corrupt", "m/config.yaml": "versions: {latest: 2}"}, []string{"1", "2"}, []string{"3"}},
		"an incomplete one":  {map[string]string{"m/3/w": "constant_1"}, []string{"2"}, []string{"3"}},
		"none older is left": {map[string]string{"m/3/model.onnx": "corrupt", "m/2/model.onnx": "corrupt", "m/1/model.onnx": "corrupt"}, nil, []string{"3", "2", "1"}},
		"not of the policy":  {map[string]string{"m/3/model.onnx": "corrupt", "m/config.yaml": "versions: {specific: [3]}"}, nil, []string{"3"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			install(t, folder, map[string]string{"m/1/model.onnx": "constant_1", "m/2/model.onnx": "constant_1"})
			install(t, folder, test.files)
			c, _ := newCatalog(t, folder, serving.Options{})
			for range 2 { // another scan changes nothing
				require.NoError(t, c.LoadAll(t.Context()))
				m, err := c.Model("m")
				require.NoError(t, err)
				assert.ElementsMatch(t, test.serve, m.Numbers())
				assert.Equal(t, len(test.serve) > 0, c.Ready() == nil)
				var failed []string
				for _, entry := range c.Index() {
					if entry.State == serving.StateUnavailable {
						assert.NotEmpty(t, entry.Reason)
						failed = append(failed, entry.Version)
					}
				}
				assert.Equal(t, test.fail, failed)
			}
			require.NoError(t, os.RemoveAll(filepath.Join(folder, "m/config.yaml")))
			require.NoError(t, os.RemoveAll(filepath.Join(folder, "m/3")))
			install(t, folder, map[string]string{"m/3/model.onnx": "constant_2"})
			require.NoError(t, c.LoadAll(t.Context()))
			assertOne(t, c, "m", "3", 3)
			require.NoError(t, c.Failures())
			require.Len(t, c.Models()[0].Versions, 1, "the older ones have gone")
		})
	}
}

// An older version that is served already is not loaded again beside itself.
func TestAnOlderVersionIsServedOnce(t *testing.T) {
	folder := t.TempDir()
	install(t, folder, map[string]string{
		"m/1/model.onnx": "constant_1", "m/2/model.onnx": "corrupt", "m/3/model.onnx": "corrupt", "m/config.yaml": "versions: {latest: 2}",
	})
	c, _ := newCatalog(t, folder, serving.Options{})
	require.NoError(t, c.LoadAll(t.Context()))
	for range 3 {
		m, err := c.Model("m")
		require.NoError(t, err)
		assert.Equal(t, []string{"1"}, m.Numbers())
		require.Error(t, c.LoadModel(t.Context(), "m"))
	}
	for _, version := range []int{4, 5} {
		install(t, folder, map[string]string{fmt.Sprintf("m/%d/model.onnx", version): "constant_2"})
	}
	require.NoError(t, c.LoadModel(t.Context(), "m"))
	m, err := c.Model("m")
	require.NoError(t, err)
	assert.Equal(t, []string{"4", "5"}, m.Numbers())
}
