package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/httpapi"
	"slipway/server/onnx/onnxtest"
)

// HEAD is GET without a body, as monitors, load balancers and wget --spider use it.
func TestHead(t *testing.T) {
	f := startAll(t)
	for path, server := range map[string]*httptest.Server{
		"/healthz": f.server, "/readyz": f.server, "/v2": f.server, "/v2/health/live": f.server, "/v2/health/ready": f.server,
		"/v1/models": f.server, "/v1/models/plus": f.server, "/v1/models/plus/versions/1": f.server, "/v1/models/nope": f.server,
		"/v2/models/plus": f.server, "/v2/models/plus/ready": f.server, "/v2/models/plus/config": f.server, "/v2/models/plus/versions/2": f.server,
		"/v2/models/nope/ready": f.server, "/nothing": f.server, "/v2/models/stats": f.server, "/v2/models/plus/stats": f.server,
		"/metrics": f.admin, "/debug/pprof/cmdline": f.admin, "/golden/plus/1": f.admin,
	} {
		got, head := do(t, server, http.MethodGet, path, ""), do(t, server, http.MethodHead, path, "")
		assert.Equal(t, got.status, head.status, path)
		assert.Equal(t, got.header.Get("Content-Type"), head.header.Get("Content-Type"), path)
		assert.Empty(t, head.body, path)
	}
	do(t, f.server, http.MethodHead, "/predict/plus", "")
}

func TestMethodsOfAPath(t *testing.T) {
	f := startAll(t)
	for path, test := range map[string]struct{ wrong, allow string }{
		"/healthz":                           {http.MethodPost, "GET, HEAD, OPTIONS"},
		"/predict/plus":                      {http.MethodGet, "POST, OPTIONS"},
		"/v2/models/plus":                    {http.MethodDelete, "GET, HEAD, OPTIONS"},
		"/v2/models/plus/infer":              {http.MethodHead, "POST, OPTIONS"},
		"/v2/repository/index":               {http.MethodGet, "POST, OPTIONS"},
		"/v1/models/plus":                    {http.MethodPut, "GET, HEAD, OPTIONS"},
		"/v1/models/plus:predict":            {http.MethodGet, "POST, OPTIONS"},
		"/v1/models/plus/versions/1:predict": {http.MethodHead, "POST, OPTIONS"},
	} {
		refused := f.do(t, test.wrong, path, "")
		assert.Equal(t, http.StatusMethodNotAllowed, refused.status, path)
		assert.Equal(t, test.allow, refused.header.Get("Allow"), path)
		options := f.do(t, http.MethodOptions, path, "")
		assert.Equal(t, http.StatusNoContent, options.status, path)
		assert.Equal(t, test.allow, options.header.Get("Allow"), path)
	}
	f.do(t, http.MethodOptions, "/nothing", "").refused(t, http.StatusNotFound, "/nothing")
}

// A model may have any name that a route has.
func TestModelsNamedAsRoutes(t *testing.T) {
	names := []string{"stats", "versions", "infer", "ready", "config", "index", "load", "models", "repository", "predict", "health", "live", "v2"}
	files := map[string]string{}
	for _, name := range names {
		files[name+"/1/model.onnx"] = "constant_1"
	}
	f := start(t, onnxtest.Repository(t, files), nil)
	const body = `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`
	for _, name := range names {
		for _, path := range []string{"/v2/models/" + name, "/v2/models/" + name + "/versions/1"} {
			assert.Contains(t, f.do(t, http.MethodGet, path, "").body, `"inputs":[{"name":"x"`, path)
			assert.Contains(t, f.do(t, http.MethodGet, path+"/config", "").body, `"name":"`+name+`"`, path)
			assert.Contains(t, f.do(t, http.MethodGet, path+"/stats", "").body, `"name":"`+name+`"`, path)
			assert.Equal(t, http.StatusOK, f.do(t, http.MethodGet, path+"/ready", "").status, path)
			assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, path+"/infer", body).status, path)
		}
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodGet, "/v1/models/"+name, "").status, name)
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/v1/models/"+name+":predict", `{"instances":[[1]]}`).status, name)
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/"+name, `{"instances":[[1]]}`).status, name)
		assert.Equal(t, http.StatusOK, do(t, f.admin, http.MethodPost, "/v2/repository/models/"+name+"/load", "").status, name)
	}
}

// Pages of other origins may call the API if the configuration names them, and no others.
func TestCORS(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), func(o *api.Options) { o.Keys = keys })
	f.api.CORS = httpapi.CORS{
		Origins: []string{"https://app.example", "https://*.team.example"}, Methods: []string{"GET", "POST"}, Headers: []string{"Content-Type", "X-API-Key"},
	}
	allowed := httptest.NewServer(f.api.Handler())
	defer allowed.Close()
	preflight := func(s *httptest.Server, origin, method, headers string) response {
		return do(t, s, http.MethodOptions, "/predict/plus", "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
	}
	for _, origin := range []string{"https://app.example", "https://a.team.example"} {
		got := preflight(allowed, origin, http.MethodPost, "content-type,x-api-key")
		assert.Equal(t, http.StatusNoContent, got.status)
		assert.Equal(t, origin, got.header.Get("Access-Control-Allow-Origin"))
		assert.Equal(t, "POST", got.header.Get("Access-Control-Allow-Methods"))
		assert.Equal(t, "content-type,x-api-key", got.header.Get("Access-Control-Allow-Headers"))
		assert.Empty(t, got.header.Get("Access-Control-Allow-Credentials"))
		assert.Contains(t, got.header.Get("Vary"), "Origin")
	}
	for name, got := range map[string]response{
		"another origin": preflight(allowed, "https://evil.example", http.MethodPost, "content-type"),
		"another method": preflight(allowed, "https://app.example", http.MethodDelete, "content-type"),
		"another header": preflight(allowed, "https://app.example", http.MethodPost, "x-other"),
		"off":            preflight(f.server, "https://app.example", http.MethodPost, "content-type"),
	} {
		assert.Empty(t, got.header.Get("Access-Control-Allow-Origin"), name)
	}
	const body = `{"instances":[[1]]}`
	good := do(t, allowed, http.MethodPost, "/predict/plus", body, "Origin", "https://app.example", "X-API-Key", "s3cret")
	assert.Equal(t, http.StatusOK, good.status)
	assert.Equal(t, "https://app.example", good.header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, good.header.Get("Access-Control-Expose-Headers"), "Slipway-Model")
	assert.Equal(t, "Origin", good.header.Get("Vary"))
	refused := do(t, allowed, http.MethodPost, "/predict/plus", body, "Origin", "https://app.example")
	assert.Equal(t, http.StatusUnauthorized, refused.status)
	assert.Equal(t, "https://app.example", refused.header.Get("Access-Control-Allow-Origin"), "a page can read why")
	other := do(t, allowed, http.MethodPost, "/predict/plus", body, "Origin", "https://evil.example", "X-API-Key", "s3cret")
	assert.Equal(t, http.StatusOK, other.status, "it is the browser that keeps pages apart")
	assert.Empty(t, other.header.Get("Access-Control-Allow-Origin"))
}

// A plain client sends the whole body and then reads the status, however early that was known.
func TestEarlyRefusalOfALargeBody(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), func(o *api.Options) { o.Keys = keys })
	const chunks = 256
	chunk := strings.Repeat(" ", 64<<10)
	for name, test := range map[string]struct {
		head   string
		status int
	}{
		"no key":           {"POST /predict/plus HTTP/1.1\r\n", http.StatusUnauthorized},
		"no model":         {"POST /predict/nope HTTP/1.1\r\nX-API-Key: s3cret\r\n", http.StatusNotFound},
		"no route":         {"PUT /nothing HTTP/1.1\r\nX-API-Key: s3cret\r\n", http.StatusNotFound},
		"another method":   {"PUT /predict/plus HTTP/1.1\r\nX-API-Key: s3cret\r\n", http.StatusMethodNotAllowed},
		"another type":     {"POST /predict/plus HTTP/1.1\r\nX-API-Key: s3cret\r\nContent-Type: text/xml\r\n", http.StatusUnsupportedMediaType},
		"over the limit":   {"POST /predict/plus HTTP/1.1\r\nX-API-Key: s3cret\r\n", http.StatusRequestEntityTooLarge},
		"an index":         {"POST /v2/repository/index HTTP/1.1\r\nX-API-Key: s3cret\r\n", http.StatusRequestEntityTooLarge},
		"a wrong encoding": {"POST /predict/plus HTTP/1.1\r\nX-API-Key: s3cret\r\nContent-Encoding: gzip\r\n", http.StatusRequestEntityTooLarge},
	} {
		for _, framing := range []string{"Content-Length: 16777216\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"} {
			t.Run(name+", "+framing[:7], func(t *testing.T) {
				c := connect(t, f.server)
				send(t, c, test.head+"Host: x\r\n"+framing)
				for range chunks {
					if strings.HasPrefix(framing, "T") {
						send(t, c, "10000\r\n"+chunk+"\r\n")
					} else {
						send(t, c, chunk)
					}
				}
				status := readStatus(t, c)
				if name == "a wrong encoding" && strings.HasPrefix(framing, "T") {
					test.status = http.StatusBadRequest // its length is not known
				}
				assert.Equal(t, test.status, status)
			})
		}
	}
}

// A client that does not send the rest of a body that nobody reads gets its response, and its connection ends.
func TestABodyThatDoesNotArrive(t *testing.T) {
	t.Parallel()
	f := startAll(t)
	for name, test := range map[string]struct {
		request, rest string
		status        int
	}{
		"small":     {"POST /predict/nope", "Content-Length: 1000\r\n\r\n{", http.StatusNotFound},
		"large":     {"POST /predict/nope", "Content-Length: 1000000\r\n\r\n{", http.StatusNotFound},
		"in chunks": {"POST /predict/nope", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", http.StatusNotFound},
		"of a GET":  {"GET /healthz", "Content-Length: 1000\r\n\r\n{", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, f.server)
			send(t, c, test.request+" HTTP/1.1\r\nHost: x\r\n"+test.rest)
			assert.Equal(t, test.status, readStatus(t, c))
			_, err := io.Copy(io.Discard, c)
			require.NoError(t, err, "the connection stays")
		})
	}
}
