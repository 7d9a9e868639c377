package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

func TestPanics(t *testing.T) {
	f := start(t, "", func(o *api.Options) { o.Catalog = nil })
	for protocol, predict := range protocols {
		before := len(f.log.with(t, "handler panicked"))
		refused(t, predict(t, f, plus()), fault.Internal, "internal error")
		lines := f.log.with(t, "handler panicked")
		require.Len(t, lines, before+1, protocol)
		line := lines[before]
		assert.Contains(t, line["panic"], "nil pointer", protocol)
		assert.Contains(t, line["stack"], "serving.(*Catalog)", protocol)
		assert.Contains(t, strings.ToLower(line["path"].(string)), "infer", protocol)
	}
}

func TestAccessLines(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1", "slow/1/model.onnx": "slow"}),
		func(o *api.Options) { o.Keys = keys })
	key := []string{"x-api-key", "s3cret", "x-request-id", "abc"}
	good, bad := plus(), slow()
	bad.parameters = map[string]int64{"timeout": 1000}
	good.metadata, bad.metadata = key, key
	for protocol, predict := range protocols {
		before := len(f.access.with(t, "request"))
		require.NoError(t, predict(t, f, good))
		refused(t, predict(t, f, bad), fault.DeadlineExceeded)
		refused(t, predict(t, f, plus()), fault.Unauthenticated, "API key")
		var lines []map[string]any
		require.Eventually(t, func() bool { // the last line is written after its response
			lines = f.access.with(t, "request")[before:]
			return len(lines) == 3
		}, 5*time.Second, time.Millisecond)
		names := func(i int) []string { return slices.Sorted(maps.Keys(lines[i])) }
		always := []string{"client", "level", "method", "model", "msg", "path", "protocol", "request_id", "seconds", "status", "time", "version"}
		assert.ElementsMatch(t, append([]string{"key"}, always...), names(0), protocol)
		assert.ElementsMatch(t, append([]string{"key", "error"}, always...), names(1), protocol)
		assert.ElementsMatch(t, always, names(2), protocol)
		assert.Equal(t, []any{"team-a", "abc", "plus", "1"}, []any{lines[0]["key"], lines[0]["request_id"], lines[0]["model"], lines[0]["version"]})
		assert.Len(t, lines[2]["request_id"], 36, "a random one")
	}
	assert.Empty(t, f.log.with(t, "request"), "the access log is written through its own logger")
}

// A call that describes a version has it in its line, and administration is logged too.
func TestAccessLinesOfOtherCalls(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	index := &oip.RepositoryIndexRequest{}
	for protocol, call := range map[string]func() error{
		"REST": func() error {
			f.get(t, "/v2/models/plus")
			return restError(f.request(t, f.admin, http.MethodPost, "/v2/repository/index", ""))
		},
		"gRPC": func() error {
			_, err := f.client().ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "plus"})
			require.NoError(t, err)
			_, err = oip.NewGRPCInferenceServiceClient(f.rpcAdmin).RepositoryIndex(t.Context(), index)
			return err
		},
	} {
		before := len(f.access.with(t, "request"))
		require.NoError(t, call())
		var lines []map[string]any
		require.Eventually(t, func() bool {
			lines = f.access.with(t, "request")[before:]
			return len(lines) == 2
		}, 5*time.Second, time.Millisecond, protocol)
		assert.Equal(t, "plus 1", lines[0]["model"].(string)+" "+lines[0]["version"].(string), protocol)
		assert.Empty(t, lines[1]["model"], protocol)
	}
	code, _ := f.request(t, f.admin, http.MethodGet, "/metrics", "")
	assert.Equal(t, http.StatusOK, code)
	assert.Len(t, f.access.with(t, "request"), 4, "Prometheus calls all the time")
	families, err := f.registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			assert.False(t, family.GetName() == "slipway_requests_total" && metric.GetCounter().GetValue() > 0, "none of these is a prediction: %s", metric)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	keys, err := config.ParseKeys("team-a=s3cret")
	require.NoError(t, err)
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), func(o *api.Options) { o.Keys = keys })
	for _, test := range []struct {
		metadata []string
		ok       bool
	}{
		{nil, false},
		{[]string{"authorization", "Bearer s3cret"}, true},
		{[]string{"x-api-key", "s3cret"}, true},
		{[]string{"authorization", "Bearer s3cret", "x-api-key", "nope"}, true},
		{[]string{"authorization", "bearer s3cret"}, true},
		{[]string{"authorization", "BEARER   s3cret"}, true},
		{[]string{"authorization", "Bearers s3cret"}, false},
		{[]string{"authorization", "Bearer"}, false},
		{[]string{"authorization", "s3cret"}, false},
		{[]string{"authorization", "Bearer of.a.mesh", "x-api-key", "s3cret"}, true},
		{[]string{"authorization", "Bearer nope", "x-api-key", "nope"}, false},
		{[]string{"authorization", "Basic s3cret"}, false},
		{[]string{"authorization", "Basic nope", "x-api-key", "s3cret"}, true},
		{[]string{"x-api-key", ""}, false},
	} {
		for protocol, predict := range protocols {
			p := plus()
			p.metadata = test.metadata
			if err := predict(t, f, p); test.ok {
				assert.NoError(t, err, "%s: %v", protocol, test.metadata)
			} else {
				refused(t, err, fault.Unauthenticated, "API key")
			}
		}
		code, _ := f.request(t, f.admin, http.MethodPost, "/v2/repository/index", "", test.metadata...)
		assert.Equal(t, test.ok, code == http.StatusOK, "administration: %v", test.metadata)
		_, err := oip.NewGRPCInferenceServiceClient(f.rpcAdmin).ServerMetadata(metadata.AppendToOutgoingContext(t.Context(), test.metadata...), &oip.ServerMetadataRequest{})
		assert.Equal(t, test.ok, err == nil, "administration over gRPC: %v", test.metadata)
	}
}

func TestRequestID(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	ids := map[string]func(given string) string{
		"REST": func(given string) string {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.rest.URL+"/v2", nil)
			require.NoError(t, err)
			r.Header.Set("X-Request-Id", given)
			response, err := f.rest.Client().Do(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			return response.Header.Get("X-Request-Id")
		},
		"gRPC": func(given string) string {
			var header metadata.MD
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", given)
			_, err := f.client().ServerMetadata(ctx, &oip.ServerMetadataRequest{}, grpc.Header(&header))
			require.NoError(t, err)
			return header.Get("x-request-id")[0]
		},
	}
	for protocol, id := range ids {
		assert.Equal(t, "abc-1", id("abc-1"), protocol)
		for _, unfit := range []string{"", "two words", strings.Repeat("x", 129)} {
			assert.Len(t, id(unfit), 36, protocol)
		}
		first := id("")
		assert.NotEqual(t, first, id(""), protocol)
	}
}
