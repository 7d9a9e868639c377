package httpapi_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/onnx/onnxtest"
)

// number is a float32 as it travels.
func number(x float32) string {
	return string(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
}

func TestBinaryTensors(t *testing.T) {
	f := startAll(t)
	const path = "/v2/models/plus/infer"
	input := `{"inputs":[{"name":"x","shape":[2,1],"datatype":"FP32","parameters":{"binary_data_size":8}}]`
	data := number(1) + number(2)
	infer := func(t *testing.T, head, body string, headers ...string) (response, string) {
		t.Helper()
		a := f.do(t, http.MethodPost, path, head+body, append([]string{"Inference-Header-Content-Length", strconv.Itoa(len(head))}, headers...)...)
		require.Equal(t, http.StatusOK, a.status, a.body)
		return a, a.header.Get("Inference-Header-Content-Length")
	}
	t.Run("in", func(t *testing.T) {
		a, length := infer(t, input+"}", data)
		assert.Empty(t, length)
		assert.Contains(t, a.body, `"data":[3,4]`)
	})
	for name, wish := range map[string]string{
		"out":            `,"parameters":{"binary_data_output":true}}`,
		"one output out": `,"outputs":[{"name":"y","parameters":{"binary_data":true}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			a, length := infer(t, input+wish, data)
			n, err := strconv.Atoi(length)
			require.NoError(t, err)
			assert.Equal(t, number(3)+number(4), a.body[n:])
			assert.Contains(t, a.body[:n], `"shape":[2,1],"parameters":{"binary_data_size":8}`)
			assert.Equal(t, "application/octet-stream", a.header.Get("Content-Type"))
			assert.True(t, json.Valid([]byte(a.body[:n])), a.body[:n])
		})
	}
	t.Run("all but one out", func(t *testing.T) {
		a, length := infer(t, input+`,"parameters":{"binary_data_output":true},"outputs":[{"name":"y","parameters":{"binary_data":false}}]}`, data)
		assert.Empty(t, length)
		assert.Contains(t, a.body, `"data":[3,4]`)
	})
	t.Run("raw", func(t *testing.T) {
		a, length := infer(t, "", data)
		n, err := strconv.Atoi(length)
		require.NoError(t, err)
		assert.Equal(t, number(3)+number(4), a.body[n:])
	})
	t.Run("unaligned", func(t *testing.T) {
		for pad := range 8 {
			a, _ := infer(t, input+strings.Repeat(" ", pad)+"}", data)
			assert.Contains(t, a.body, `"data":[3,4]`)
		}
	})
	t.Run("compressed", func(t *testing.T) {
		head := input + "}"
		for encoding, compress := range encoders {
			a := f.do(t, http.MethodPost, path, packed(t, compress, head+data), "Inference-Header-Content-Length", strconv.Itoa(len(head)), "Content-Encoding", encoding)
			require.Equal(t, http.StatusOK, a.status, a.body)
			assert.Contains(t, a.body, `"data":[3,4]`)
			bomb := packed(t, compress, strings.Repeat(" ", 2<<20))
			require.Less(t, len(bomb), 1<<16)
			f.do(t, http.MethodPost, path, bomb, "Content-Encoding", encoding).refused(t, http.StatusRequestEntityTooLarge, "1048576")
		}
	})
	for name, wrong := range map[string]struct{ head, data, message string }{
		"too little":    {input + "}", data[:7], "7 bytes are left"},
		"too much":      {input + "}", data + "x", "1 bytes are left over"},
		"odd size":      {strings.Replace(input, "8", "7", 1) + "}", data[:7], "got 7 bytes"},
		"other shape":   {strings.Replace(input, "[2,1]", "[3,1]", 1) + "}", data, "got 8 bytes"},
		"other type":    {strings.Replace(input, "FP32", "FP64", 1) + "}", data, "the model wants FP32"},
		"data besides":  {strings.Replace(input, `"shape"`, `"data":[1,2],"shape"`, 1) + "}", data, "contradict"},
		"negative size": {strings.Replace(input, ":8", ":-8", 1) + "}", data, "expected the number of bytes"},
		"cut JSON":      {input, data, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.do(t, http.MethodPost, path, wrong.head+wrong.data, "Inference-Header-Content-Length", strconv.Itoa(len(wrong.head))).
				refused(t, http.StatusBadRequest, wrong.message)
		})
	}
}

func packed(t *testing.T, compress func(io.Writer) io.WriteCloser, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := compress(&b)
	_, err := io.WriteString(w, body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestBinaryText(t *testing.T) {
	f := startAll(t)
	head := `{"inputs":[{"name":"x","shape":[1,2],"datatype":"BYTES","parameters":{"binary_data_size":13}}],"parameters":{"binary_data_output":true}}`
	data := "\x03\x00\x00\x00abc\x02\x00\x00\x00\xc3\xbc"
	a := f.do(t, http.MethodPost, "/v2/models/text/infer", head+data, "Inference-Header-Content-Length", strconv.Itoa(len(head)))
	require.Equal(t, http.StatusOK, a.status, a.body)
	assert.True(t, strings.HasSuffix(a.body, data))
}

func TestRepository(t *testing.T) {
	folder := everyRepository(t)
	f := start(t, folder, nil)
	index := f.do(t, http.MethodPost, "/v2/repository/index", "").body
	assert.Contains(t, index, `{"name":"plus","version":"2","state":"READY"}`)
	assert.Contains(t, index, `{"name":"broken","version":"2","state":"UNAVAILABLE","reason":`)
	assert.NotContains(t, f.do(t, http.MethodPost, "/v2/repository/index", `{"ready":true}`).body, "UNAVAILABLE")

	admin := func(verb, body string) response {
		t.Helper()
		return do(t, f.admin, http.MethodPost, "/v2/repository/models/plus/"+verb, body)
	}
	assert.Equal(t, http.StatusOK, admin("unload", `{"parameters":{"unload_dependents":false}}`).status)
	f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`).refused(t, http.StatusServiceUnavailable, "unloaded")
	onnxtest.Put(t, filepath.Join(folder, "plus/2/model.onnx"), "constant_1")
	loaded := admin("load", "")
	assert.Equal(t, http.StatusOK, loaded.status, loaded.body)
	assert.Empty(t, loaded.body)
	assert.JSONEq(t, `{"predictions":[[2]]}`, f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`).body)
	admin("load", `{"parameters":{"config":"{}"}}`).refused(t, http.StatusBadRequest, "parameters")
	assert.Equal(t, http.StatusOK, admin("load", `{"parameters":{"config":null}}`).status)
	assert.Equal(t, http.StatusOK, admin("load", `null`).status)
	admin("load", `{} {"parameters":{}}`).refused(t, http.StatusBadRequest, "something follows the JSON object at byte")
	do(t, f.admin, http.MethodPost, "/v2/repository/models/nope/load", "").refused(t, http.StatusNotFound, "nope")
}

func TestConfigurationAndStatistics(t *testing.T) {
	folder := everyRepository(t)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "simple/config.yaml"), []byte("batching: {maxBatchSize: 8, maxQueueDelay: 1ms}\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "sequence/config.yaml"), []byte("batching: {maxBatchSize: 8}\n"), 0o600))
	f := start(t, folder, nil)
	config := f.do(t, http.MethodGet, "/v2/models/simple/config", "").body
	for _, part := range []string{
		`"max_batch_size":8`, `{"name":"INPUT0","data_type":"TYPE_INT32","dims":[16]}`, `"max_queue_delay_microseconds":1000`,
		`"instance_group":[{"name":"simple","count":2,"kind":"KIND_CPU"}]`, `"latest":{"num_versions":1}`,
	} {
		assert.Contains(t, config, part)
	}
	assert.Contains(t, f.do(t, http.MethodGet, "/v2/models/text/config", "").body, `{"name":"x","data_type":"TYPE_STRING","dims":[-1,-1]}`)
	assert.Contains(t, f.do(t, http.MethodGet, "/v2/models/sequence", "").body, `"batching":"refused: `)
	assert.Contains(t, f.do(t, http.MethodGet, "/v2", "").body, `"extensions":["binary_tensor_data","model_configuration","model_repository","statistics"]`)

	for range 3 {
		f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`)
	}
	f.do(t, http.MethodPost, "/predict/gather", `{"inputs":{"index":[99]}}`)
	stats := f.do(t, http.MethodGet, "/v2/models/plus/versions/2/stats", "").body
	assert.Contains(t, stats, `"inference_count":3,"execution_count":3,"inference_stats":{"success":{"count":3,"ns":`)
	assert.Contains(t, stats, `"batch_stats":[{"batch_size":1,`)
	assert.Contains(t, f.do(t, http.MethodGet, "/v2/models/gather/stats", "").body, `"fail":{"count":1,`)
	var all struct {
		ModelStats []any `json:"model_stats"`
	}
	require.NoError(t, json.Unmarshal([]byte(f.do(t, http.MethodGet, "/v2/models/stats", "").body), &all))
	assert.Greater(t, len(all.ModelStats), 10)
	f.do(t, http.MethodGet, "/v2/models/nope/stats", "").refused(t, http.StatusNotFound, "nope")
}

func TestGoldenAndProfilesAreAdministration(t *testing.T) {
	folder := onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"})
	line := `{"request":{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]},` +
		`"response":{"outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[2]}]}}` + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "plus/1/golden.ndjson"), []byte(line), 0o600))
	f := start(t, folder, nil)
	a := do(t, f.admin, http.MethodGet, "/golden/plus/1", "")
	assert.Equal(t, line, a.body)
	do(t, f.admin, http.MethodGet, "/golden/plus/2", "").refused(t, http.StatusNotFound, "2")
	assert.Contains(t, do(t, f.admin, http.MethodGet, "/debug/pprof/", "").body, "goroutine")
	for _, path := range []string{"/golden/plus/1", "/debug/pprof/"} {
		f.do(t, http.MethodGet, path, "").refused(t, http.StatusNotFound, path)
	}
}

// With keys on, administration needs one too, but for health and metrics.
func TestAdministrationNeedsAKey(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), func(o *api.Options) { o.Keys = keys })
	for path, method := range map[string]string{
		"/golden/plus/1": http.MethodGet, "/debug/pprof/": http.MethodGet, "/debug/pprof/heap": http.MethodGet, "/nothing": http.MethodGet,
		"/v2/repository/index": http.MethodPost, "/v2/repository/models/plus/load": http.MethodPost, "/v2/repository/models/plus/unload": http.MethodPost,
	} {
		do(t, f.admin, method, path, "").refused(t, http.StatusUnauthorized, "API key")
		assert.NotEqual(t, http.StatusUnauthorized, do(t, f.admin, method, path, "", "X-Api-Key", "s3cret").status, path)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		assert.NotEqual(t, http.StatusUnauthorized, do(t, f.admin, http.MethodGet, path, "").status, path)
	}
}

// A page of another site that an administrator visits changes no models.
func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	const unload = "/v2/repository/models/plus/unload"
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		do(t, f.admin, http.MethodPost, unload, "", headers...).refused(t, http.StatusForbidden, "other sites")
	}
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodGet, "/v2/models/plus/ready", "").status)
	assert.Equal(t, http.StatusOK, do(t, f.admin, http.MethodPost, unload, "", "Sec-Fetch-Site", "same-origin").status)
}

// A deadline that has passed is 504, a queue that is full 429 with a time to come back.
func TestDeadlineAndOverload(t *testing.T) {
	folder := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"})
	settings := "instances: {count: 1}\nqueue: {maxRequests: 1}\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "slow/config.yaml"), []byte(settings), 0o600))
	f := start(t, folder, nil)
	f.do(t, http.MethodPost, "/predict", `{"inputs":[60000]}`, "Slipway-Timeout", "50ms").refused(t, http.StatusGatewayTimeout, "deadline")
	f.do(t, http.MethodPost, "/v2/models/slow/infer", `{"parameters":{"timeout":50000},"inputs":[{"name":"n","shape":[1],"datatype":"INT64","data":[60000]}]}`).
		refused(t, http.StatusGatewayTimeout, "deadline")

	var refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			response, err := f.server.Client().Post(f.server.URL+"/predict", "application/json", strings.NewReader(`{"inputs":[300]}`))
			if !assert.NoError(t, err) {
				return
			}
			assert.NoError(t, response.Body.Close())
			if response.StatusCode == http.StatusTooManyRequests {
				refused.Add(1)
				assert.NotEmpty(t, response.Header.Get("Retry-After"))
			} else {
				assert.Equal(t, http.StatusOK, response.StatusCode)
			}
		})
	}
	all.Wait()
	assert.NotZero(t, refused.Load())
}
