//go:build e2e

package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// irisRows is the README's request: a versicolor, class 1.
const irisRows = `{"instances": [[6.8, 2.8, 4.8, 1.4]]}`

func TestDefaults(t *testing.T) {
	t.Parallel()
	r := install(t, nil)
	service := throughService(r.namespace, name, "http")
	service.eventually(t, irisRows)

	for _, request := range []struct{ path, body, want string }{
		{"/predict", irisRows, `"predictions":[{"label":1,`},
		{"/predict/iris", irisRows, `"predictions":[{"label":1,`},
		{"/predict", `{"inputs": {"X": [[6.8, 2.8, 4.8, 1.4]]}}`, `"label":[1]`},
		{"/predict", irisOIP, `"name":"label","datatype":"INT64"`},
		{"/v1/models/iris:predict", irisRows, `"predictions":[{"label":1,`},
		{"/v2/models/iris/infer", irisOIP, `"data":[1]`},
		{"/v2/models/iris/versions/1/infer", irisOIP, `"data":[1]`},
	} {
		got := service.post(t, request.path, request.body)
		require.Equal(t, http.StatusOK, got.status, "%s: %s", request.path, got.body)
		assert.Contains(t, got.body, request.want, request.path)
		assert.Equal(t, "iris", got.header.Get("Slipway-Model"), request.path)
		assert.Equal(t, "1", got.header.Get("Slipway-Version"), request.path)
		assert.NotEmpty(t, got.header.Get("X-Request-Id"), request.path)
	}

	got := service.post(t, "/predict", `{"instances": [[6.8, 2.8]]}`)
	assert.Equal(t, http.StatusBadRequest, got.status)
	assert.Contains(t, got.body, `{"error":`)
	assert.Equal(t, http.StatusNotFound, service.post(t, "/predict/nosuch", irisRows).status)
	for _, path := range []string{"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready", "/v2/models/iris/ready"} {
		assert.Equal(t, http.StatusOK, service.get(t, path).status, path)
	}

	t.Run("helm test", func(t *testing.T) { require.NoError(t, r.test()) })
}

// irisOIP is the same flower as an Open Inference Protocol request.
const irisOIP = `{"inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [6.8, 2.8, 4.8, 1.4]}]}`

// TestTextPipeline serves a model that normalizes text, for which ONNX Runtime needs the locale en_US.UTF-8: the image has it.
func TestTextPipeline(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	binding, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/yalue/onnxruntime_go").Output()
	require.NoError(t, err)
	modelConfigMap(t, ns, "text", "text", filepath.Join(strings.TrimSpace(string(binding)), "test_data", "example_strings.onnx"))
	installIn(t, ns, modelFrom("text"))
	got := throughService(ns, name, "http").eventually(t, `{"inputs": {"input": ["Straße ÉTÉ"]}}`)
	assert.JSONEq(t, `{"outputs": {"output_lower": ["straße été"], "output_upper": ["STRAßE ÉTÉ"]}}`, got.body)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	r := install(t, withAdministration(t))
	throughService(r.namespace, name, "http").eventually(t, irisRows)

	got := throughService(r.namespace, adminName, "admin").get(t, "/metrics")
	require.Equal(t, http.StatusOK, got.status, got.body)
	for _, metric := range []string{
		"slipway_requests_total{", `slipway_model_loaded{model="iris",version="1"} 1`, "slipway_request_duration_seconds_bucket{", "slipway_build_info{",
		"go_sched_gomaxprocs_threads 1\n", // the CPU limit of the chart's values, on nodes that have more
	} {
		assert.Contains(t, got.body, metric)
	}
	assert.NotEqual(t, http.StatusOK, throughService(r.namespace, name, "http").get(t, "/metrics").status, "metrics are on the administration port only")
}
