package serving_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/serving"
)

// slowLoad are the files of a model whose golden answer takes a minute to reproduce.
func slowLoad() map[string]string {
	const milliseconds = 60_000
	return map[string]string{
		"slow/1/model.onnx": "slow",
		"slow/1/golden.ndjson": fmt.Sprintf(`{"request":{"inputs":[{"name":"n","datatype":"INT64","shape":[1],"data":[%d]}]},`+
			`"response":{"model_name":"slow","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[%[1]d]}]}}`+"\n", milliseconds),
	}
}

// loadingSlow reports whether the slow model is being loaded for the first time.
func loadingSlow(c *serving.Catalog) bool {
	for _, entry := range c.Index() {
		if entry.Name == "slow" {
			return entry.State == serving.StateLoading
		}
	}
	return false
}

// byRequest loads the slow model as a client's request does.
func byRequest(ctx context.Context, c *serving.Catalog) error { return c.LoadModel(ctx, "slow") }

// beginSlowLoad runs change, which loads the slow model, until stop is called. stop
// returns the error of change.
func beginSlowLoad(t *testing.T, c *serving.Catalog, folder string, change func(context.Context, *serving.Catalog) error) (stop func() error) {
	t.Helper()
	install(t, folder, slowLoad())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- change(ctx, c) }()
	require.Eventually(t, func() bool { return loadingSlow(c) }, 20*time.Second, time.Millisecond)
	return func() error {
		cancel()
		return <-done
	}
}

func TestASlowLoadDelaysNoOtherModel(t *testing.T) {
	for name, change := range map[string]func(context.Context, *serving.Catalog) error{
		"by request":        byRequest,
		"of the repository": func(ctx context.Context, c *serving.Catalog) error { return c.LoadAll(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "constant_2"}, "")
			stop := beginSlowLoad(t, c, folder, change)

			require.NoError(t, c.UnloadModel(t.Context(), "m"))
			_, err := c.Choose("m", "")
			assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
			install(t, folder, map[string]string{"n/2/model.onnx": "constant_1"})
			require.NoError(t, c.LoadModel(t.Context(), "n"))
			assertOne(t, c, "n", "2", 2)
			require.NoError(t, c.LoadModel(t.Context(), "m"))
			assertOne(t, c, "m", "1", 2)

			assert.True(t, loadingSlow(c), "the load goes on")
			assert.Contains(t, c.Index(), serving.IndexEntry{Name: "slow", Version: "1", State: serving.StateLoading})
			c.StopLoading()
			_ = stop()
			slow, err := c.Model("slow")
			require.NoError(t, err)
			require.ErrorContains(t, slow.Ready(), `model "slow"`)
			require.ErrorContains(t, slow.Ready(), "context canceled")
			require.NoError(t, c.Ready(), "a model that came later is not required")
		})
	}
}

// A client that leaves during its request leaves the load to the server.
func TestALoadOutlivesItsRequest(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1"}, "")
	install(t, folder, slowLoad())
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- byRequest(ctx, c) }()
	require.Eventually(t, func() bool { return loadingSlow(c) }, 20*time.Second, time.Millisecond)
	leave()
	install(t, folder, map[string]string{"n/1/model.onnx": "constant_2"})
	require.NoError(t, c.LoadModel(t.Context(), "n"))
	assertOne(t, c, "n", "1", 3)
	assert.True(t, loadingSlow(c))
	require.NoError(t, c.UnloadModel(ctx, "slow"))
	require.ErrorContains(t, <-done, "unloaded while it was loaded")
	require.NoError(t, c.Ready())
}

func TestCloseWaitsForLoadsAndEndsAllChanges(t *testing.T) {
	c, folder := load(t, map[string]string{"m/1/model.onnx": "constant_1"}, "")
	stop := beginSlowLoad(t, c, folder, byRequest)

	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.Close()
	}()
	require.Eventually(t, func() bool {
		return fault.CodeOf(c.UnloadModel(t.Context(), "absent")) == fault.Unavailable
	}, 20*time.Second, time.Millisecond, "a change that comes too late")
	require.ErrorIs(t, stop(), context.Canceled)
	<-closed

	assert.Empty(t, c.Models())
	require.Error(t, c.LoadModel(t.Context(), "m"))
	require.NoError(t, c.LoadAll(t.Context()))
	assert.Empty(t, c.Models(), "nothing is loaded any more")
	c.Close()
}
