package grpcapi_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
)

// same compares a message with one in protobuf's text form.
func same[M proto.Message](t testing.TB, want string, got M) {
	t.Helper()
	expected := got.ProtoReflect().New().Interface()
	require.NoError(t, prototext.Unmarshal([]byte(want), expected))
	assert.True(t, proto.Equal(expected, got), "got %s", prototext.Format(got))
}

func TestMetadata(t *testing.T) {
	f := startAll(t)
	server, err := f.ServerMetadata(t.Context(), &oip.ServerMetadataRequest{})
	require.NoError(t, err)
	same(t, `name: "slipway" version: "test" extensions: ["model_configuration", "model_repository", "statistics"]`, server)

	model, err := f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "plus", Version: "1"})
	require.NoError(t, err)
	same(t, `name: "plus" versions: "1" platform: "onnxruntime_onnx"
		inputs {name: "x" datatype: "FP32" shape: [-1, 1]} outputs {name: "y" datatype: "FP32" shape: [-1, 1]}`, model)

	model, err = f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "sequence"})
	require.NoError(t, err)
	same(t, `name: "y" datatype: "BYTES" shape: -1`, model.GetOutputs()[0])

	_, err = f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "nope"})
	refused(t, err, codes.NotFound, `"nope"`)
	_, err = f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "plus", Version: "7"})
	refused(t, err, codes.NotFound, `"7"`)
}

func TestModelReady(t *testing.T) {
	f := startAll(t)
	for named, want := range map[[2]string]bool{{"plus", ""}: true, {"plus", "1"}: true, {"plus", "2"}: false, {"nope", ""}: false} {
		response, err := f.ModelReady(t.Context(), &oip.ModelReadyRequest{Name: named[0], Version: named[1]})
		require.NoError(t, err)
		assert.Equal(t, want, response.GetReady(), named)
	}
}

// A version that could not be batched serves without it and reports it.
func TestBatchingRefused(t *testing.T) {
	repository := onnxtest.Repository(t, map[string]string{"fixed/1/model.onnx": "static_batch"})
	require.NoError(t, os.WriteFile(filepath.Join(repository, "fixed", "config.yaml"), []byte(`batching: {maxBatchSize: 4}`), 0o644))
	f := start(t, repository, nil)
	model, err := f.ModelMetadata(t.Context(), &oip.ModelMetadataRequest{Name: "fixed"})
	require.NoError(t, err)
	assert.Contains(t, model.GetParameters()["batching"].GetStringParam(), "refused: ")
	response, err := f.ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: "fixed"})
	require.NoError(t, err)
	assert.Zero(t, response.GetConfig().GetMaxBatchSize())
	assert.Nil(t, response.GetConfig().GetDynamicBatching())
	assert.Contains(t, response.GetConfig().GetParameters()["batching"].GetStringValue(), "refused: ")
}

func TestModelConfig(t *testing.T) {
	repository := onnxtest.Repository(t, everyModel)
	require.NoError(t, os.WriteFile(filepath.Join(repository, "simple", "config.yaml"), []byte(`
batching: {maxBatchSize: 8, preferredBatchSizes: [4], maxQueueDelay: 500us}
queue: {maxRequests: 10, timeout: 2s, priorityLevels: 3, defaultPriority: 2}
instances: {count: 2, intraOpThreads: 1}
versions: {all: true}
warmUp: [{name: ones, batchSize: 2, count: 3, inputs: {INPUT0: {datatype: INT32, dims: [16]}, INPUT1: {datatype: INT32, dims: [16], random: true}}}]
`), 0o644))
	f := start(t, repository, nil)
	response, err := f.ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: "simple"})
	require.NoError(t, err)
	same(t, `config {
		name: "simple" platform: "onnxruntime_onnx" backend: "onnxruntime" default_model_filename: "model.onnx"
		version_policy {all {}} max_batch_size: 8
		input {name: "INPUT0" data_type: TYPE_INT32 dims: 16} input {name: "INPUT1" data_type: TYPE_INT32 dims: 16}
		output {name: "OUTPUT0" data_type: TYPE_INT32 dims: 16} output {name: "OUTPUT1" data_type: TYPE_INT32 dims: 16}
		instance_group {name: "simple" count: 2 kind: KIND_CPU}
		parameters {key: "intra_op_thread_count" value {string_value: "1"}}
		parameters {key: "runtime_version" value {string_value: "`+serving.Runtime()+`"}}
		dynamic_batching {
			preferred_batch_size: 4 max_queue_delay_microseconds: 500 priority_levels: 3 default_priority_level: 2
			default_queue_policy {default_timeout_microseconds: 2000000 allow_timeout_override: true max_queue_size: 10}
		}
		model_warmup {
			name: "ones" batch_size: 2 count: 3
			inputs {key: "INPUT0" value {data_type: TYPE_INT32 dims: 16 zero_data: true}}
			inputs {key: "INPUT1" value {data_type: TYPE_INT32 dims: 16 random_data: true}}
		}
	}`, response)

	response, err = f.ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: "plus"})
	require.NoError(t, err)
	assert.Zero(t, response.GetConfig().GetMaxBatchSize())
	assert.Nil(t, response.GetConfig().GetDynamicBatching())
	same(t, `name: "x" data_type: TYPE_FP32 dims: [-1, 1]`, response.GetConfig().GetInput()[0])
	same(t, `latest {num_versions: 1}`, response.GetConfig().GetVersionPolicy())
	_, err = f.ModelConfig(t.Context(), &oip.ModelConfigRequest{Name: "nope"})
	refused(t, err, codes.NotFound)
}

func TestModelStatistics(t *testing.T) {
	f := startAll(t)
	for range 3 {
		_, err := f.ModelInfer(t.Context(), float32s(1, 2))
		require.NoError(t, err)
	}
	response, err := f.ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{Name: "plus"})
	require.NoError(t, err)
	require.Len(t, response.GetModelStats(), 1)
	plus := response.GetModelStats()[0]
	assert.Equal(t, "plus 1", plus.GetName()+" "+plus.GetVersion())
	assert.Equal(t, uint64(3), plus.GetInferenceCount())
	assert.Equal(t, uint64(3), plus.GetExecutionCount())
	assert.Equal(t, uint64(3), plus.GetInferenceStats().GetSuccess().GetCount())
	assert.Positive(t, plus.GetInferenceStats().GetComputeInfer().GetNs())
	assert.Zero(t, plus.GetInferenceStats().GetFail().GetCount())
	assert.WithinDuration(t, time.Now(), time.UnixMilli(int64(plus.GetLastInference())), time.Minute)

	response, err = f.ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{})
	require.NoError(t, err)
	assert.Len(t, response.GetModelStats(), len(everyModel))
	_, err = f.ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{Name: "plus", Version: "9"})
	refused(t, err, codes.NotFound)
	_, err = f.ModelStatistics(t.Context(), &oip.ModelStatisticsRequest{Name: "nope"})
	refused(t, err, codes.NotFound)
}

func TestRepository(t *testing.T) {
	f := startAll(t)
	states := func(readyOnly bool) map[string]string {
		response, err := f.RepositoryIndex(t.Context(), &oip.RepositoryIndexRequest{Ready: readyOnly})
		require.NoError(t, err)
		all := map[string]string{}
		for _, m := range response.GetModels() {
			all[m.GetName()] = m.GetState()
		}
		return all
	}
	assert.Equal(t, "READY", states(false)["plus"])
	_, err := f.RepositoryIndex(t.Context(), &oip.RepositoryIndexRequest{RepositoryName: "other"})
	refused(t, err, codes.InvalidArgument, "repository_name")

	load, unload := &oip.RepositoryModelLoadRequest{ModelName: "plus"}, &oip.RepositoryModelUnloadRequest{ModelName: "plus"}
	unload.Parameters = map[string]*oip.ModelRepositoryParameter{"unload_dependents": {}} // as Triton's clients do
	_, err = f.RepositoryModelLoad(t.Context(), load)
	refused(t, err, codes.PermissionDenied, "admin.address")
	_, err = f.RepositoryModelUnload(t.Context(), unload)
	refused(t, err, codes.PermissionDenied, "admin.address")

	_, err = f.admin.RepositoryModelUnload(t.Context(), unload)
	require.NoError(t, err)
	assert.NotContains(t, states(true), "plus")
	_, err = f.ModelInfer(t.Context(), float32s(1))
	refused(t, err, codes.Unavailable, `"plus"`)
	_, err = f.admin.RepositoryModelLoad(t.Context(), load)
	require.NoError(t, err)
	assert.Contains(t, states(true), "plus")
	_, err = f.ModelInfer(t.Context(), float32s(1))
	require.NoError(t, err)

	_, err = f.admin.RepositoryModelLoad(t.Context(), &oip.RepositoryModelLoadRequest{ModelName: "nope"})
	refused(t, err, codes.NotFound, `"nope"`)
	load.Parameters = map[string]*oip.ModelRepositoryParameter{"config": {}}
	_, err = f.admin.RepositoryModelLoad(t.Context(), load)
	refused(t, err, codes.InvalidArgument, `parameters["config"]`)
}

func TestStatuses(t *testing.T) {
	f := startAll(t)
	var response error
	fails := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		return nil, response
	}
	conn, _ := serve(t, f.api.Server(false, grpc.ChainUnaryInterceptor(fails)))
	client := oip.NewGRPCInferenceServiceClient(conn)
	for _, test := range []struct {
		err  error
		code codes.Code
	}{
		{fault.New(fault.InvalidArgument, "x"), codes.InvalidArgument},
		{context.Canceled, codes.Canceled},
		{os.ErrNotExist, codes.Internal},
		{status.Error(codes.DataLoss, "grpc's own"), codes.DataLoss},
		{&fault.Error{Code: fault.Overloaded, Err: os.ErrNotExist, RetryAfter: 1500 * time.Millisecond}, codes.ResourceExhausted},
	} {
		response = test.err
		_, err := client.ModelInfer(t.Context(), float32s(1))
		refused(t, err, test.code)
	}
	_, err := client.ModelInfer(t.Context(), float32s(1))
	details := status.Convert(err).Details()
	require.Len(t, details, 1)
	assert.Equal(t, 1500*time.Millisecond, details[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
}
