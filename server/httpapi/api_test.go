package httpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/httpapi"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	onnxtest.Main(m)
}

// fixture is an API over a repository of test models, behind a real listener.
type fixture struct {
	api    *httpapi.API
	server *httptest.Server
	admin  *httptest.Server
	log    *bytes.Buffer // read it only when no request is under way
}

var everyModel = map[string]string{
	"iris/1/model.onnx":       "static_batch",
	"plus/1/model.onnx":       "constant_1",
	"plus/2/model.onnx":       "constant_2",
	"simple/1/model.onnx":     "add_sub",
	"names/1/model.onnx":      "names",
	"zipmap/1/model.onnx":     "zipmap",
	"sequence/1/model.onnx":   "sequence",
	"scalar/1/model.onnx":     "scalar_fp32",
	"text/1/model.onnx":       "identity_bytes",
	"int8/1/model.onnx":       "identity_int8",
	"fp16/1/model.onnx":       "identity_fp16",
	"gather/1/model.onnx":     "gather",
	"identity/1/model.onnx":   "identity_fp32",
	"broken/1/model.onnx":     "constant_1",
	"broken/2/model.onnx":     "corrupt",
	"identity64/1/model.onnx": "identity_fp64",
}

func start(t testing.TB, repository string, change func(*api.Options)) *fixture {
	t.Helper()
	f := &fixture{log: &bytes.Buffer{}}
	log := telemetry.NewLogger(f.log, slog.LevelDebug)
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{Version: "test"})
	catalog := serving.NewCatalog(serving.Options{Folder: repository, Processors: 2, IntraOpThreads: 1}, log, metrics)
	budget := admission.NewBudget(256 << 20)
	options := api.Options{Catalog: catalog, Metrics: metrics, Log: log, Access: log, Version: "test", Memory: budget}
	if change != nil {
		change(&options)
	}
	f.api = &httpapi.API{API: api.New(options), MaxBodyBytes: 1 << 20}
	f.server = httptest.NewServer(f.api.Handler())
	f.admin = httptest.NewServer(f.api.AdminHandler(registry))
	t.Cleanup(func() {
		f.server.Close()
		f.admin.Close()
		catalog.Close()
		assert.Zero(t, budget.Used(), "what was charged is given back")
	})
	if repository != "" {
		require.NoError(t, catalog.LoadAll(t.Context()))
	}
	return f
}

func startAll(t testing.TB) *fixture { return start(t, everyRepository(t), nil) }

func everyRepository(t testing.TB) string {
	t.Helper()
	folder := onnxtest.Repository(t, everyModel)
	for _, model := range []string{"plus", "broken"} {
		settings := filepath.Join(folder, model, "config.yaml")
		require.NoError(t, os.WriteFile(settings, []byte("versions: {all: true}\n"), 0o600))
	}
	return folder
}

type response struct {
	status int
	closes bool // Connection: close
	header http.Header
	body   string
}

func (f *fixture) do(t testing.TB, method, path, body string, headers ...string) response {
	t.Helper()
	return do(t, f.server, method, path, body, headers...)
}

func do(t testing.TB, s *httptest.Server, method, path, body string, headers ...string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	r, err := s.Client().Do(request)
	require.NoError(t, err)
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return response{r.StatusCode, r.Close, r.Header, string(got)}
}

// refused checks that the response has that status and an error with each part.
func (r response) refused(t testing.TB, status int, parts ...string) {
	t.Helper()
	assert.Equal(t, status, r.status, r.body)
	var body map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.body), &body), r.body)
	require.Len(t, body, 1)
	for _, part := range parts {
		assert.Contains(t, body["error"], part)
	}
}

func TestPredictions(t *testing.T) {
	f := startAll(t)
	for name, test := range map[string]struct{ path, body, want string }{
		"rows":           {"/predict/plus", `{"instances":[[1],[2]]}`, `{"predictions":[[3],[4]]}`},
		"columns":        {"/predict/plus", `{"inputs":{"x":[[1],[2]]}}`, `{"outputs":{"y":[[3],[4]]}}`},
		"columns of one": {"/predict/plus", `{"inputs":[[1]]}`, `{"outputs":{"y":[[3]]}}`},
		"OIP at the easy route": {"/predict/plus", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`,
			`{"model_name":"plus","model_version":"2","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[3]}]}`},
		"v1 rows":          {"/v1/models/plus:predict", `{"instances":[[1]]}`, `{"predictions":[[3]]}`},
		"v1 version":       {"/v1/models/plus/versions/1:predict", `{"instances":[[1]]}`, `{"predictions":[[2]]}`},
		"v1 TF signature":  {"/v1/models/plus:predict", `{"signature_name":"serving_default","instances":[[1]]}`, `{"predictions":[[3]]}`},
		"v2":               {"/v2/models/plus/infer", `{"id":"q","inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`, `{"model_name":"plus","model_version":"2","id":"q","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[3]}]}`},
		"v2 version":       {"/v2/models/plus/versions/1/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[[1]]}]}`, `{"model_name":"plus","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[2]}]}`},
		"v2 one output":    {"/v2/models/simple/infer", oip16(`,"outputs":[{"name":"OUTPUT1"}]`), `{"model_name":"simple","model_version":"1","outputs":[{"name":"OUTPUT1","datatype":"INT32","shape":[1,16],"data":[-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1]}]}`},
		"scalar":           {"/predict/scalar", `{"inputs":{"x":2.5}}`, `{"outputs":{"y":2.5}}`},
		"text":             {"/predict/text", `{"instances":[["grün","\ud83d\ude00"]]}`, `{"predictions":[["grün","😀"]]}`},
		"halves":           {"/predict/fp16", `{"instances":[[1.5,-2]]}`, `{"predictions":[[1.5,-2]]}`},
		"names":            {"/predict/names", `{"instances":[{"petal length":5,"длина лепестка":3}]}`, `{"predictions":[{"合計":8,"a \"difference\" \\ b":2}]}`},
		"an older version": {"/predict/broken", `{"instances":[[1]]}`, `{"predictions":[[2]]}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := f.do(t, http.MethodPost, test.path, test.body, "Content-Type", "application/json")
			assert.Equal(t, http.StatusOK, got.status, got.body)
			assert.JSONEq(t, test.want, got.body)
			assert.NotEmpty(t, got.header.Get("Slipway-Model"))
			assert.NotEmpty(t, got.header.Get("Slipway-Version"))
			assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		})
	}
}

// oip16 is a request to the model simple with 0 and 1, sixteen times over.
func oip16(rest string) string {
	zeros, ones := strings.Repeat("0,", 15)+"0", strings.Repeat("1,", 15)+"1"
	return `{"inputs":[{"name":"INPUT1","shape":[1,16],"datatype":"INT32","data":[` + ones +
		`]},{"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":[` + zeros + `]}]` + rest + `}`
}

// TestLengthIsKnown: no response comes in chunks, however long it is.
func TestLengthIsKnown(t *testing.T) {
	f := startAll(t)
	for _, text := range []string{"short", strings.Repeat("long", 1000), strings.Repeat("longer", 20_000)} {
		a := f.do(t, http.MethodPost, "/v1/models/text:predict", `{"instances":[["`+text+`"]]}`)
		require.Equal(t, http.StatusOK, a.status, a.body)
		assert.Equal(t, strconv.Itoa(len(a.body)), a.header.Get("Content-Length"))
	}
}

func TestSequencesOfMaps(t *testing.T) {
	f := startAll(t)
	var rows struct {
		Predictions []struct {
			Label         int64              `json:"output_label"`
			Probabilities map[string]float64 `json:"output_probability"`
		}
	}
	got := f.do(t, http.MethodPost, "/predict/zipmap", `{"instances":[[6.8,2.8,4.8,1.4],[5,3,1,0.2]]}`)
	require.NoError(t, json.Unmarshal([]byte(got.body), &rows), got.body)
	require.Len(t, rows.Predictions, 2)
	assert.Equal(t, int64(1), rows.Predictions[0].Label)
	assert.Len(t, rows.Predictions[1].Probabilities, 3)

	got = f.do(t, http.MethodPost, "/v2/models/zipmap/infer", `{"inputs":[{"name":"X","shape":[1,4],"datatype":"FP32","data":[5,3,1,0.2]}],"outputs":[{"name":"output_probability"}]}`)
	assert.Equal(t, http.StatusOK, got.status, got.body)
	assert.Contains(t, got.body, `"datatype":"BYTES"`)
}

func TestMetadata(t *testing.T) {
	f := startAll(t)
	for path, want := range map[string]string{
		"/v2":                              `{"name":"slipway","version":"test","extensions":["binary_tensor_data","model_configuration","model_repository","statistics"]}`,
		"/v2/health/live":                  `{"live":true}`,
		"/v2/health/ready":                 `{"ready":true}`,
		"/healthz":                         `{"live":true}`,
		"/readyz":                          `{"ready":true}`,
		"/v2/models/plus":                  `{"name":"plus","versions":["1","2"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}`,
		"/v2/models/plus/versions/1":       `{"name":"plus","versions":["1","2"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}`,
		"/v2/models/plus/ready":            `{"name":"plus","ready":true}`,
		"/v2/models/plus/versions/2/ready": `{"name":"plus","ready":true}`,
		"/v1/models/plus/versions/1":       `{"name":"plus","ready":true,"model_version_status":[{"version":"1","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}`,
	} {
		got := f.do(t, http.MethodGet, path, "")
		assert.Equal(t, http.StatusOK, got.status, path)
		assert.JSONEq(t, want, got.body, path)
	}
	assert.Contains(t, f.do(t, http.MethodGet, "/v2/models/zipmap", "").body, `"datatype":"BYTES","shape":[-1]`)
	assert.Contains(t, f.do(t, http.MethodGet, "/v1/models", "").body, `"plus"`)
	assert.Contains(t, f.do(t, http.MethodGet, "/v1/models/broken", "").body, `"version":"1"`)
}

func TestNotReady(t *testing.T) {
	loading := start(t, "", nil)
	do(t, loading.admin, http.MethodGet, "/readyz", "").refused(t, http.StatusServiceUnavailable, "being loaded")
	loading.do(t, http.MethodGet, "/readyz", "").refused(t, http.StatusServiceUnavailable, "administration port")
	loading.do(t, http.MethodPost, "/predict", `{}`).refused(t, http.StatusServiceUnavailable, "being loaded")
	assert.Equal(t, http.StatusOK, loading.do(t, http.MethodGet, "/healthz", "").status)

	bad := start(t, onnxtest.Repository(t, map[string]string{"bad/1/model.onnx": "corrupt"}), nil)
	do(t, bad.admin, http.MethodGet, "/readyz", "").refused(t, http.StatusServiceUnavailable, `"bad"`, "version 1")
	for _, path := range []string{"/readyz", "/v2/health/ready"} { // to strangers no more than that
		got := bad.do(t, http.MethodGet, path, "")
		got.refused(t, http.StatusServiceUnavailable, "not ready")
		assert.NotContains(t, got.body, "bad")
	}

	bad = start(t, onnxtest.Repository(t, map[string]string{"bad/1/model.onnx": "corrupt", "plus/1/model.onnx": "constant_1"}), nil)
	assert.Equal(t, http.StatusOK, bad.do(t, http.MethodGet, "/readyz", "").status, "the good model keeps the pod in service")
	bad.do(t, http.MethodPost, "/predict/bad", `{"instances":[[1]]}`).refused(t, http.StatusServiceUnavailable, `"bad"`)
	assert.Equal(t, http.StatusOK, bad.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`).status, "the good model serves")
	metrics := do(t, bad.admin, http.MethodGet, "/metrics", "").body
	assert.Contains(t, metrics, `slipway_model_load_failures_total{model="bad",version="1"} 1`)
	assert.Contains(t, metrics, `slipway_model_loaded{model="bad",version="1"} 0`)
	assert.Contains(t, metrics, `slipway_model_loaded{model="plus",version="1"} 1`)
}

func TestDraining(t *testing.T) {
	f := startAll(t)
	assert.False(t, f.do(t, http.MethodGet, "/healthz", "").closes)
	f.api.Drain()
	do(t, f.admin, http.MethodGet, "/readyz", "").refused(t, http.StatusServiceUnavailable, "shutting down")
	got := f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`)
	assert.Equal(t, http.StatusOK, got.status, "requests are still served")
	assert.True(t, got.closes)
}

func TestKeys(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), func(o *api.Options) { o.Keys = keys })
	const body = `{"instances":[[1]]}`
	for _, path := range []string{"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"} {
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodGet, path, "").status, path)
	}
	assert.Equal(t, http.StatusOK, do(t, f.admin, http.MethodGet, "/metrics", "").status)
	for _, path := range []string{"/v2", "/v1/models", "/v2/models/plus", "/nothing/here", "/metrics"} {
		f.do(t, http.MethodGet, path, "").refused(t, http.StatusUnauthorized, "API key")
	}
	for _, headers := range [][]string{
		{}, {"Authorization", "Bearer wrong"}, {"Authorization", "Bearer "}, {"Authorization", "s3cret"}, {"Authorization", "Basic s3cret"}, {"X-API-Key", "S3cret"},
	} {
		got := f.do(t, http.MethodPost, "/predict", body, headers...)
		got.refused(t, http.StatusUnauthorized, "API key")
		assert.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"))
	}
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict", body, "Authorization", "Bearer s3cret").status)
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict", body, "X-API-Key", "s3cret").status)
	assert.Contains(t, do(t, f.admin, http.MethodGet, "/metrics", "").body,
		`slipway_requests_total{code="401",model="",protocol="predict",version=""} 6`)
	f.server.Close()
	assert.Contains(t, f.log.String(), `"key":"team-a"`)
	assert.NotContains(t, f.log.String(), "s3cret")
}

func TestAccessLogAndMetrics(t *testing.T) {
	f := startAll(t)
	got := f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[31337]]}`, "X-Request-Id", "abc-1")
	assert.Equal(t, "abc-1", got.header.Get("X-Request-Id"))
	got = f.do(t, http.MethodPost, "/predict/plus", `{"instances":[["31337"]]}`, "X-Request-Id", "two words")
	assert.NotEqual(t, "two words", got.header.Get("X-Request-Id"))
	assert.Len(t, got.header.Get("X-Request-Id"), 36)
	f.do(t, http.MethodPost, "/predict/made-up", `{}`)
	metrics := do(t, f.admin, http.MethodGet, "/metrics", "").body
	for _, line := range []string{
		`slipway_requests_total{code="200",model="plus",protocol="predict",version="2"} 1`,
		`slipway_requests_total{code="400",model="plus",protocol="predict",version="2"} 1`,
		`slipway_requests_total{code="404",model="",protocol="predict",version=""} 1`,
		`slipway_request_duration_seconds_count{model="plus",protocol="predict",version="2"} 2`,
		`slipway_run_duration_seconds_count{model="plus",version="2"} 1`,
		`slipway_requests_in_flight 0`,
		`slipway_build_info{`,
		`go_goroutines`,
		`process_resident_memory_bytes`,
	} {
		assert.Contains(t, metrics, line)
	}
	f.server.Close()
	assert.NotContains(t, f.log.String(), "31337", "the log has no payload")
	line := ""
	for l := range strings.Lines(f.log.String()) {
		if strings.Contains(l, `"abc-1"`) {
			line = l
		}
	}
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &fields), f.log.String())
	assert.Equal(t, "plus", fields["model"])
	assert.Equal(t, "2", fields["version"])
	assert.InDelta(t, 200, fields["status"], 0)
	assert.Positive(t, fields["seconds"])
}
