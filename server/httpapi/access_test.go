package httpapi_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/api"
	"slipway/server/telemetry"
)

func TestAccessLines(t *testing.T) {
	var access bytes.Buffer
	f := start(t, everyRepository(t), func(o *api.Options) { o.Access = telemetry.NewLogger(&access, slog.LevelInfo) })
	for _, request := range []struct{ method, path, body string }{
		{http.MethodPost, "/predict/plus", `{"instances":[[1]]}`},
		{http.MethodPost, "/v2/models/plus/versions/1/infer", `{"inputs":[{"name":"x","shape":[1,1],"datatype":"FP32","data":[1]}]}`},
		{http.MethodPost, "/predict/plus", `{"instances":[[2]]}`},
		{http.MethodPost, "/predict/plus", `{`},
		{http.MethodPost, "/predict/nope", `{"instances":[[1]]}`},
		{http.MethodGet, "/v2/models/plus", ""},
		{http.MethodGet, "/made/up", ""},
	} {
		f.do(t, request.method, request.path, request.body)
	}
	f.server.Close() // the last line is written after its response
	var got []map[string]any
	ids := map[string]bool{}
	for line := range strings.Lines(access.String()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		id, err := uuid.Parse(fields["request_id"].(string))
		require.NoError(t, err)
		assert.Equal(t, uuid.Version(4), id.Version())
		ids[id.String()] = true
		assert.Positive(t, fields["seconds"])
		assert.NotEmpty(t, fields["time"])
		for _, name := range []string{"request_id", "seconds", "time"} {
			delete(fields, name)
		}
		got = append(got, fields)
	}
	assert.Len(t, ids, 7, "no two requests have the same id")
	line := func(protocol, method, path, model, version string, status float64) map[string]any {
		return map[string]any{
			"level": "INFO", "msg": "request", "protocol": protocol, "method": method, "path": path,
			"model": model, "version": version, "status": status, "client": "127.0.0.1",
		}
	}
	assert.Equal(t, []map[string]any{
		line("predict", "POST", "/predict/:model", "plus", "2", 200),
		line("v2", "POST", "/v2/models/:model/versions/:version/infer", "plus", "1", 200),
		line("predict", "POST", "/predict/:model", "plus", "2", 200),
		line("predict", "POST", "/predict/:model", "plus", "2", 400),
		line("predict", "POST", "/predict/:model", "", "", 404),
		line("", "GET", "/v2/models/:model", "plus", "2", 200),
		line("", "GET", "", "", "", 404),
	}, got)
	assert.NotContains(t, f.log.String(), `"msg":"request"`)
}
