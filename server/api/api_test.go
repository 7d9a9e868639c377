package api_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"slipway/server/api"
	"slipway/server/config"
	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// every is a repository with a model of each kind that is described differently.
func every(t testing.TB) string {
	t.Helper()
	folder := onnxtest.Repository(t, map[string]string{
		"plus/1/model.onnx": "constant_1", "plus/2/model.onnx": "constant_2",
		"simple/1/model.onnx": "add_sub", "sequence/1/model.onnx": "sequence", "text/1/model.onnx": "identity_bytes",
		"fixed/1/model.onnx": "static_batch", "half/1/model.onnx": "identity_fp16", "scalar/1/model.onnx": "scalar_fp32",
	})
	for model, text := range map[string]string{
		"plus":  "versions: {specific: [1, 2]}\n",
		"fixed": "batching: {maxBatchSize: 4}\n", // which is refused
		"text":  "versions: {all: true}\n",
		"simple": `
batching: {maxBatchSize: 8, preferredBatchSizes: [4], maxQueueDelay: 500us}
queue: {maxRequests: 10, timeout: 2s, priorityLevels: 3, defaultPriority: 2}
instances: {count: 2, intraOpThreads: 1}
warmUp: [{name: ones, batchSize: 2, count: 3, inputs: {INPUT0: {datatype: INT32, dims: [16]}, INPUT1: {datatype: INT32, dims: [16], random: true}}}]
`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, model, "config.yaml"), []byte(text), 0o600))
	}
	return folder
}

// same checks that a JSON body has a message, field by field, and nothing besides
// but properties.
func same[M proto.Message](t testing.TB, want M, body string) {
	t.Helper()
	got := want.ProtoReflect().New().Interface()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &fields))
	delete(fields, "properties")
	text, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, protojson.Unmarshal(text, got), body)
	assert.True(t, proto.Equal(want, got), "REST: %s\ngRPC: %v", body, want)
}

// Both protocols describe a version from one description.
func TestDescriptions(t *testing.T) {
	f := start(t, every(t), nil)
	for _, m := range f.api.Catalog.Models() {
		t.Run(m.Name, func(t *testing.T) {
			path := "/v2/models/" + m.Name
			config, err := f.client().ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: m.Name})
			require.NoError(t, err)
			same(t, config.GetConfig(), f.get(t, path+"/config"))

			described, err := f.client().ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: m.Name})
			require.NoError(t, err)
			var properties struct{ Properties map[string]string }
			require.NoError(t, json.Unmarshal([]byte(f.get(t, path)), &properties))
			assert.Len(t, properties.Properties, len(described.GetParameters()))
			for name, p := range described.GetParameters() {
				assert.Equal(t, p.GetStringParam(), properties.Properties[name])
			}
			described.Parameters = nil
			same(t, described, f.get(t, path))

			statistics, err := f.client().ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{Name: m.Name})
			require.NoError(t, err)
			same(t, statistics, f.get(t, path+"/stats"))
		})
	}
	assert.Contains(t, f.get(t, "/v2/models/simple/config"),
		`"model_warmup":[{"name":"ones","batch_size":2,"inputs":{"INPUT0":{"data_type":"TYPE_INT32","dims":[16],"zero_data":true},`+
			`"INPUT1":{"data_type":"TYPE_INT32","dims":[16],"random_data":true}},"count":3}]`, "whole numbers are numbers")
	assert.Contains(t, f.get(t, "/v2/models/fixed"), `"batching":"refused: `)
}

// The two parameters that say how a request is treated have one bound.
func TestParameters(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	day := (24 * time.Hour).Microseconds()
	for _, test := range []struct {
		name  string
		value int64
		ok    bool
	}{
		{"timeout", 0, true}, {"timeout", day, true}, {"timeout", day + 1, false}, {"timeout", -1, false}, {"timeout", math.MaxInt64, false},
		{"priority", 0, true}, {"priority", math.MaxInt32, true}, {"priority", math.MaxInt32 + 1, false}, {"priority", -1, false},
	} {
		for protocol, predict := range protocols {
			p := plus()
			p.parameters = map[string]int64{test.name: test.value}
			if err := predict(t, f, p); test.ok {
				assert.NoError(t, err, "%s: %s %d", protocol, test.name, test.value)
			} else {
				refused(t, err, fault.InvalidArgument, "parameters", test.name, "whole number from 0 to")
			}
		}
	}
}

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
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1", "gather/1/model.onnx": "gather"}),
		func(o *api.Options) { o.Keys = keys })
	key := []string{"x-api-key", "s3cret", "x-request-id", "abc"}
	good, bad := plus(), prediction{model: "gather", input: "index", datatype: "INT64", values: []int64{99}}
	good.metadata, bad.metadata = key, key
	for protocol, predict := range protocols {
		before := len(f.access.with(t, "request"))
		require.NoError(t, predict(t, f, good))
		refused(t, predict(t, f, bad), fault.Internal)
		refused(t, predict(t, f, plus()), fault.Unauthenticated, "API key")
		var lines []map[string]any
		require.Eventually(t, func() bool { // the last line is written after its response
			lines = f.access.with(t, "request")[before:]
			return len(lines) == 3
		}, 5*time.Second, time.Millisecond)
		names := func(i int) []string { return slices.Sorted(maps.Keys(lines[i])) }
		always := []string{"level", "method", "model", "msg", "path", "protocol", "request_id", "seconds", "status", "time", "version"}
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
	count, err := testutil.GatherAndCount(f.registry, "slipway_requests_total")
	require.NoError(t, err)
	assert.Zero(t, count, "none of these is a prediction")
}

// single is a repository whose model slow serves one request at a time and lets
// none wait.
func single(t testing.TB, others map[string]string) string {
	t.Helper()
	files := map[string]string{"slow/1/model.onnx": "slow"}
	maps.Copy(files, others)
	folder := onnxtest.Repository(t, files)
	settings := "instances: {count: 1}\nqueue: {maxRequests: 0, timeout: 0s}\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "slow/config.yaml"), []byte(settings), 0o600))
	return folder
}

// What can be refused before the request has arrived is refused then.
func TestRefusalBeforeTheRequestIsRead(t *testing.T) {
	unread := map[string]func(t *testing.T, f *fixture) error{
		"REST": func(t *testing.T, f *fixture) error {
			c, err := net.Dial("tcp", f.rest.Listener.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
			_, err = c.Write([]byte("POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"))
			require.NoError(t, err)
			response := make([]byte, 13)
			_, err = c.Read(response)
			require.NoError(t, err)
			return map[string]error{
				"HTTP/1.1 429 ": fault.New(fault.Overloaded, "429"), "HTTP/1.1 503 ": fault.New(fault.Unavailable, "503"),
			}[string(response)]
		},
		"gRPC": func(t *testing.T, f *fixture) error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			call, err := f.rpc.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, oip.GRPCInferenceService_ModelInfer_FullMethodName)
			require.NoError(t, err)
			return rpcError(call.RecvMsg(&oip.ModelInferResponse{}))
		},
	}
	loading, busy := start(t, "", nil), start(t, single(t, nil), nil)
	occupy(t, busy)
	for protocol, call := range unread {
		t.Run(protocol, func(t *testing.T) {
			refused(t, call(t, loading), fault.Unavailable)
			refused(t, call(t, busy), fault.Overloaded)
		})
	}
}

// A long request that has no time is refused before it is decoded: it would be
// found wrong else.
func TestRefusalBeforeALongRequestIsDecoded(t *testing.T) {
	f := start(t, single(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	occupy(t, f)
	for protocol, predict := range protocols {
		wrong := slow()
		wrong.datatype, wrong.values = "WRONG", make([]int64, 2*api.LongRequest)
		for i := range wrong.values {
			wrong.values[i] = 1
		}
		refused(t, predict(t, f, wrong), fault.Overloaded)
		wrong.values = wrong.values[:1]
		refused(t, predict(t, f, wrong), fault.InvalidArgument, "datatype")
		assert.NoError(t, predict(t, f, plus()), protocol)
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
		{[]string{"authorization", "Bearer nope", "x-api-key", "s3cret"}, false},
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
	}
}

// Models are loaded and unloaded at the administration port only, as their folder has them.
func TestRepositoryActions(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	rest := func(verb, body string, admin bool) error {
		s := f.rest
		if admin {
			s = f.admin
		}
		code, text := f.request(t, s, http.MethodPost, "/v2/repository/models/plus/"+verb, body)
		return restError(code, text)
	}
	rpc := func(verb, parameter string, admin bool) error {
		conn := f.rpc
		if admin {
			conn = f.rpcAdmin
		}
		parameters := map[string]*oip.ModelRepositoryParameter{}
		if parameter != "" {
			parameters[parameter] = &oip.ModelRepositoryParameter{}
		}
		c := oip.NewGRPCInferenceServiceClient(conn)
		if verb == "load" {
			_, err := c.RepositoryModelLoad(t.Context(), &oip.RepositoryModelLoadRequest{ModelName: "plus", Parameters: parameters})
			return rpcError(err)
		}
		_, err := c.RepositoryModelUnload(t.Context(), &oip.RepositoryModelUnloadRequest{ModelName: "plus", Parameters: parameters})
		return rpcError(err)
	}
	for protocol, act := range map[string]func(verb, parameter string, admin bool) error{
		"REST": func(verb, parameter string, admin bool) error {
			if parameter == "" {
				return rest(verb, "", admin)
			}
			return rest(verb, `{"parameters":{"`+parameter+`":true}}`, admin)
		},
		"gRPC": rpc,
	} {
		t.Run(protocol, func(t *testing.T) {
			for _, verb := range []string{"load", "unload"} {
				refused(t, act(verb, "", false), fault.PermissionDenied, "admin.address")
				refused(t, act(verb, "config", true), fault.InvalidArgument, "config")
			}
			require.NoError(t, act("unload", "unload_dependents", true))
			refused(t, protocols[protocol](t, f, plus()), fault.Unavailable, "unloaded")
			require.NoError(t, act("load", "", true))
			require.NoError(t, protocols[protocol](t, f, plus()))
		})
	}
}

func TestDraining(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	ready := map[string]func() bool{
		"REST": func() bool {
			code, _ := f.request(t, f.rest, http.MethodGet, "/readyz", "")
			return code == http.StatusOK
		},
		"gRPC": func() bool {
			r, err := f.client().ServerReady(t.Context(), &oip.ServerReadyRequest{})
			require.NoError(t, err)
			return r.GetReady()
		},
	}
	for protocol, is := range ready {
		assert.True(t, is(), protocol)
	}
	f.api.Drain()
	f.api.Drain()
	<-f.api.Draining()
	for protocol, is := range ready {
		assert.False(t, is(), protocol)
		assert.NoError(t, protocols[protocol](t, f, plus()), "requests are still served")
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
		assert.NotEqual(t, id(""), id(""), protocol)
	}
}
