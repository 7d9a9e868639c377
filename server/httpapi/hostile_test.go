package httpapi_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHostileBodies(t *testing.T) {
	f := startAll(t)
	oip := func(name, shape, dtype, data string) string {
		return `{"inputs":[{"name":"` + name + `","shape":` + shape + `,"datatype":"` + dtype + `","data":` + data + `}]}`
	}
	for name, test := range map[string]struct {
		path, body string
		message    string
	}{
		"empty":                    {"/predict/plus", ``, ""},
		"not JSON":                 {"/predict/plus", `hello`, ""},
		"another JSON":             {"/predict/plus", `[1,2]`, ""},
		"truncated":                {"/predict/plus", `{"instances":[[1`, ""},
		"trailing":                 {"/predict/plus", `{"instances":[[1]]} x`, ""},
		"no known key":             {"/predict/plus", `{}`, ""},
		"unknown key":              {"/predict/plus", `{"instances":[[1]],"instance":1}`, `instance`},
		"two forms":                {"/predict/plus", `{"instances":[[1]],"inputs":[[1]]}`, ``},
		"wrong input name":         {"/predict/simple", `{"inputs":{"a":[[1]],"b":[[1]]}}`, `a`},
		"wrong name, OIP":          {"/v2/models/plus/infer", oip("z", "[1,1]", "FP32", "[1]"), `"z"`},
		"missing input":            {"/v2/models/simple/infer", oip("INPUT0", "[1,16]", "INT32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), `INPUT1`},
		"ragged":                   {"/predict/identity", `{"instances":[[1,2],[3]]}`, `instances[1]`},
		"ragged depth":             {"/predict/identity", `{"instances":[[1,2],3]}`, `instances[1]`},
		"NaN":                      {"/predict/plus", `{"instances":[[NaN]]}`, `instances[0][0]`},
		"infinity":                 {"/predict/plus", `{"instances":[[Infinity]]}`, ``},
		"minus infinity":           {"/predict/plus", `{"instances":[[-Infinity]]}`, ``},
		"overflows FP32":           {"/predict/plus", `{"instances":[[1e39]]}`, `FP32`},
		"overflows FP64":           {"/predict/identity64", `{"instances":[[1e999]]}`, `FP64`},
		"null":                     {"/predict/plus", `{"instances":[[null]]}`, `null`},
		"text for a number":        {"/predict/plus", `{"instances":[["1"]]}`, `string`},
		"a number for text":        {"/predict/text", `{"instances":[[1]]}`, `string`},
		"truth for a number":       {"/predict/plus", `{"instances":[[true]]}`, ``},
		"fraction for an integer":  {"/predict/int8", `{"instances":[[1.5]]}`, `INT8`},
		"integer overflows":        {"/predict/int8", `{"instances":[[128]]}`, `INT8`},
		"integer far over":         {"/predict/int8", `{"instances":[[99999999999999999999999]]}`, `INT8`},
		"wrong datatype":           {"/v2/models/plus/infer", oip("x", "[1,1]", "FP64", "[1]"), `FP32`},
		"unknown datatype":         {"/v2/models/plus/infer", oip("x", "[1,1]", "FLOAT", "[1]"), `FLOAT`},
		"wrong shape":              {"/v2/models/plus/infer", oip("x", "[1,2]", "FP32", "[1,2]"), `expected [-1,1]`},
		"wrong rank":               {"/v2/models/plus/infer", oip("x", "[1]", "FP32", "[1]"), `rank`},
		"negative shape":           {"/v2/models/plus/infer", oip("x", "[-1,1]", "FP32", "[1]"), `got -1`},
		"huge shape":               {"/v2/models/plus/infer", oip("x", "[9223372036854775807,9223372036854775807]", "FP32", "[1]"), `shape`},
		"large shape, little data": {"/v2/models/plus/infer", oip("x", "[4000000000,1]", "FP32", "[1]"), `4000000000`},
		"shape past int64":         {"/v2/models/plus/infer", oip("x", "[99999999999999999999,1]", "FP32", "[1]"), `shape`},
		"fraction in the shape":    {"/v2/models/plus/infer", oip("x", "[1.5,1]", "FP32", "[1]"), `shape`},
		"more data than shape":     {"/v2/models/plus/infer", oip("x", "[1,1]", "FP32", "[1,2]"), `data`},
		"less data than shape":     {"/v2/models/plus/infer", oip("x", "[2,1]", "FP32", "[1]"), `data`},
		"deep nesting":             {"/predict/plus", `{"instances":` + strings.Repeat("[", 100000), ``},
		"deep nesting, closed":     {"/predict/plus", `{"instances":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, ``},
		"deep unknown":             {"/v2/models/plus/infer", `{"parameters":` + strings.Repeat(`{"a":`, 100000), ``},
		"duplicate input":          {"/v2/models/plus/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]},{"name":"x","shape":[1,1],"datatype":"FP32","data":[2]}]}`, `x`},
		"duplicate key":            {"/predict/plus", `{"instances":[[1]],"instances":[[2]]}`, `instances`},
		"duplicate output":         {"/v2/models/plus/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"y"},{"name":"y"}]}`, `y`},
		"unknown output":           {"/v2/models/plus/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"q"}]}`, `"q"`},
		"binary data without it":   {"/v2/models/plus/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}`, `Inference-Header-Content-Length`},
		"model of another route":   {"/v2/models/plus/infer", `{"model_name":"iris","inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`, `model_name`},
		"timeout of nothing":       {"/v2/models/plus/infer", `{"parameters":{"timeout":-1},"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`, `parameters.timeout`},
		"no rows":                  {"/predict/plus", `{"instances":[]}`, ``},
		"broken UTF-8":             {"/predict/text", "{\"instances\":[[\"\xff\xfe\"]]}", ``},
		"leading zero":             {"/predict/plus", `{"instances":[[01]]}`, ``},
		"fixed batch":              {"/predict/iris", `{"instances":[[1,2,3,4],[1,2,3,4]]}`, `expected [1,4]`},
	} {
		t.Run(name, func(t *testing.T) {
			f.do(t, http.MethodPost, test.path, test.body, "Content-Type", "application/json").refused(t, http.StatusBadRequest, test.message)
			good := f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`)
			assert.JSONEq(t, `{"predictions":[[3]]}`, good.body, "the server still serves")
		})
	}
}

// What the runtime says about the data of a request is the client's fault, in its words.
func TestRunThatFailsForItsDataIsTheClientsFault(t *testing.T) {
	f := startAll(t)
	f.do(t, http.MethodPost, "/predict/gather", `{"inputs":{"index":[99]}}`).refused(t, http.StatusBadRequest, `model "gather" version 1: `, "idx=99 must be within the inclusive range [-4,3]")
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/gather", `{"inputs":{"index":[1]}}`).status)
}

func TestRefusals(t *testing.T) {
	f := startAll(t)
	const body = `{"instances":[[1]]}`
	for name, test := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		message            string
	}{
		"XML":                {http.MethodPost, "/predict/plus", body, []string{"Content-Type", "text/xml"}, 415, "text/xml"},
		"binary":             {http.MethodPost, "/v2/models/plus/infer", body, []string{"Content-Type", "application/octet-stream"}, 415, "octet-stream"},
		"a type of nothing":  {http.MethodPost, "/predict/plus", body, []string{"Content-Type", ";;"}, 415, ";;"},
		"no gzip":            {http.MethodPost, "/predict/plus", body, []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		"brotli":             {http.MethodPost, "/predict/plus", body, []string{"Content-Encoding", "br"}, 415, `"br"`},
		"timeout":            {http.MethodPost, "/predict/plus", body, []string{"Slipway-Timeout", "5"}, 400, "Slipway-Timeout"},
		"load":               {http.MethodPost, "/v2/repository/models/plus/load", "", nil, 403, "admin.address"},
		"binary V1":          {http.MethodPost, "/v1/models/plus:predict", body, []string{"Inference-Header-Content-Length", "5"}, 415, "Inference-Header-Content-Length"},
		"binary header":      {http.MethodPost, "/v2/models/plus/infer", body, []string{"Inference-Header-Content-Length", "500"}, 400, "500"},
		"binary no number":   {http.MethodPost, "/v2/models/plus/infer", body, []string{"Inference-Header-Content-Length", "x"}, 400, "Inference-Header-Content-Length"},
		"over the limit":     {http.MethodPost, "/predict/plus", `{"instances":[[` + strings.Repeat(" ", 1<<20) + `1]]}`, nil, 413, "1048576"},
		"no such model":      {http.MethodPost, "/predict/nope", body, nil, 404, `"nope"`},
		"no such version":    {http.MethodPost, "/v2/models/plus/versions/9/infer", body, nil, 404, `"1", "2"`},
		"no default":         {http.MethodPost, "/predict", body, nil, 404, "defaultModel"},
		"no such verb":       {http.MethodPost, "/v1/models/plus:classify", body, nil, 404, "classify"},
		"no verb":            {http.MethodPost, "/v1/models/plus", body, nil, 404, "verb"},
		"no such route":      {http.MethodGet, "/nope", "", nil, 404, "/nope"},
		"no such metadata":   {http.MethodGet, "/v2/models/nope", "", nil, 404, "nope"},
		"version of another": {http.MethodGet, "/v2/models/plus/versions/x/ready", "", nil, 404, "x"},
		"v1 of another":      {http.MethodGet, "/v1/models/plus/versions/7", "", nil, 404, "7"},
		"wrong method":       {http.MethodGet, "/predict/plus", "", nil, 405, "GET"},
	} {
		t.Run(name, func(t *testing.T) {
			f.do(t, test.method, test.path, test.body, test.headers...).refused(t, test.status, test.message)
		})
	}
	for _, given := range []string{"application/json", "application/json; charset=utf-8", "application/vnd.x+json", "application/x-www-form-urlencoded"} {
		assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/plus", body, "Content-Type", given).status, given)
	}
}

// A body of 100 MB is refused by its length, and one that hides its length at the limit.
func TestHugeBody(t *testing.T) {
	f := startAll(t)
	for _, length := range []string{"Content-Length: 104857600", "Transfer-Encoding: chunked"} {
		c, err := net.Dial("tcp", f.server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(c, "POST /predict/plus HTTP/1.1\r\nHost: x\r\n"+length+"\r\n\r\n")
		require.NoError(t, err)
		chunk := strings.Repeat(" ", 1<<16)
		for range 17 { // just over the limit of 1 MiB
			if _, err = io.WriteString(c, "10000\r\n"+chunk+"\r\n"); err != nil {
				break // refused already
			}
		}
		response, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
		require.NoError(t, response.Body.Close())
		require.NoError(t, c.Close())
	}
	assert.Equal(t, http.StatusOK, f.do(t, http.MethodPost, "/predict/plus", `{"instances":[[1]]}`).status)
}
