package grpcapi_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

func TestRefusals(t *testing.T) {
	f := startAll(t)
	number := func(n int64) *oip.InferParameter {
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_Int64Param{Int64Param: n}}
	}
	text := func(s string) *oip.InferParameter {
		return &oip.InferParameter{ParameterChoice: &oip.InferParameter_StringParam{StringParam: s}}
	}
	with := func(change func(*request, *input)) *request {
		r := float32s(1)
		change(r, r.GetInputs()[0])
		return r
	}
	raw := func(r *request, x *input, data ...[]byte) { x.Contents, r.RawInputContents = nil, data }
	requested := func(names ...string) (all []*oip.ModelInferRequest_InferRequestedOutputTensor) {
		for _, name := range names {
			all = append(all, &oip.ModelInferRequest_InferRequestedOutputTensor{Name: name})
		}
		return all
	}
	for name, test := range map[string]struct {
		request *request
		code    codes.Code
		parts   []string
	}{
		"no such model":      {&request{ModelName: "nope"}, codes.NotFound, []string{`"nope"`, "plus"}},
		"no such version":    {with(func(r *request, _ *input) { r.ModelVersion = "9" }), codes.NotFound, []string{`"9"`}},
		"no model named":     {&request{}, codes.NotFound, []string{"defaultModel"}},
		"no input":           {&request{ModelName: "plus"}, codes.InvalidArgument, []string{`input "x"`, "missing"}},
		"another input":      {with(func(_ *request, x *input) { x.Name = "q" }), codes.InvalidArgument, []string{`"q"`}},
		"an input twice":     {with(func(r *request, x *input) { r.Inputs = append(r.Inputs, x) }), codes.InvalidArgument, []string{`"x"`, "twice"}},
		"unknown datatype":   {with(func(_ *request, x *input) { x.Datatype = "FLOAT" }), codes.InvalidArgument, []string{"inputs[0].datatype", "FLOAT"}},
		"another datatype":   {with(func(_ *request, x *input) { x.Datatype, x.Contents = "FP64", &contents{Fp64Contents: []float64{1}} }), codes.InvalidArgument, []string{`input "x"`, "FP64", "FP32"}},
		"another shape":      {with(func(_ *request, x *input) { x.Shape = []int64{1} }), codes.InvalidArgument, []string{`input "x"`, "rank 1"}},
		"too few elements":   {with(func(_ *request, x *input) { x.Shape = []int64{2, 1} }), codes.InvalidArgument, []string{"inputs[0].contents", "fp32_contents", "2 elements"}},
		"negative shape":     {with(func(_ *request, x *input) { x.Shape = []int64{-1, 1} }), codes.InvalidArgument, []string{"inputs[0].shape", "negative"}},
		"overflowing shape":  {with(func(_ *request, x *input) { x.Shape = []int64{math.MaxInt64, 3} }), codes.InvalidArgument, []string{"inputs[0].shape", "overflows"}},
		"another field":      {with(func(_ *request, x *input) { x.Contents = &contents{Fp64Contents: []float64{1}} }), codes.InvalidArgument, []string{"inputs[0].contents", "fp64_contents", "fp32_contents"}},
		"two fields":         {with(func(_ *request, x *input) { x.Contents.BoolContents = []bool{true} }), codes.InvalidArgument, []string{"bool_contents"}},
		"typed half":         {with(func(_ *request, x *input) { x.Datatype = "FP16" }), codes.InvalidArgument, []string{"FP16", "raw_input_contents"}},
		"a number too large": {with(func(_ *request, x *input) { x.Datatype, x.Contents = "INT8", &contents{IntContents: []int32{128}} }), codes.InvalidArgument, []string{"int_contents", "element 0 is 128", "INT8"}},
		"raw and typed":      {with(func(r *request, _ *input) { r.RawInputContents = [][]byte{{0, 0, 0, 0}} }), codes.InvalidArgument, []string{"inputs[0].contents.fp32_contents", "raw_input_contents"}},
		"raw for another":    {with(func(r *request, x *input) { raw(r, x, []byte{0, 0, 0, 0}, []byte{}) }), codes.InvalidArgument, []string{"raw_input_contents", "got 2"}},
		"raw too short":      {with(func(r *request, x *input) { raw(r, x, []byte{0, 0, 0}) }), codes.InvalidArgument, []string{"raw_input_contents[0]", `input "x"`}},
		"raw too long":       {with(func(r *request, x *input) { raw(r, x, make([]byte, 8)) }), codes.InvalidArgument, []string{"raw_input_contents[0]"}},
		"unknown output":     {with(func(r *request, _ *input) { r.Outputs = requested("q") }), codes.InvalidArgument, []string{`"q"`}},
		"an output twice":    {with(func(r *request, _ *input) { r.Outputs = requested("y", "y") }), codes.InvalidArgument, []string{"outputs[1].name", `"y"`}},
		"shared memory": {with(func(_ *request, x *input) {
			x.Parameters = map[string]*oip.InferParameter{"shared_memory_region": text("r")}
		}), codes.InvalidArgument, []string{`inputs[0].parameters["shared_memory_region"]`}},
		"classification": {with(func(r *request, _ *input) {
			r.Outputs = requested("y")
			r.Outputs[0].Parameters = map[string]*oip.InferParameter{"classification": number(3)}
		}), codes.InvalidArgument, []string{`outputs[0].parameters["classification"]`}},
		"timeout of text":      {with(func(r *request, _ *input) { r.Parameters = map[string]*oip.InferParameter{"timeout": text("1s")} }), codes.InvalidArgument, []string{`parameters["timeout"]`}},
		"negative priority":    {with(func(r *request, _ *input) { r.Parameters = map[string]*oip.InferParameter{"priority": number(-1)} }), codes.InvalidArgument, []string{`parameters["priority"]`}},
		"a run that fails":     {&request{ModelName: "gather", Inputs: []*input{{Name: "index", Datatype: "INT64", Shape: []int64{1}, Contents: &contents{Int64Contents: []int64{99}}}}}, codes.InvalidArgument, []string{`"gather"`, "idx=99"}},
		"more than the limit":  {with(func(r *request, x *input) { raw(r, x, make([]byte, 1<<20)) }), codes.ResourceExhausted, []string{"1048576"}},
		"a timeout that is up": {&request{ModelName: "slow", Parameters: map[string]*oip.InferParameter{"timeout": number(1000)}, Inputs: []*input{{Name: "n", Datatype: "INT64", Shape: []int64{1}, Contents: &contents{Int64Contents: []int64{2_000}}}}}, codes.DeadlineExceeded, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.ModelInfer(t.Context(), test.request)
			refused(t, err, test.code, test.parts...)
			good, err := f.ModelInfer(t.Context(), float32s(1))
			require.NoError(t, err, "the server still serves")
			assert.Equal(t, []float32{3}, good.GetOutputs()[0].GetContents().GetFp32Contents())
		})
	}
}

// The call's own deadline ends the run, not only the client's wait.
func TestDeadline(t *testing.T) {
	f := startAll(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := f.ModelInfer(ctx, &request{ModelName: "slow", Inputs: []*input{
		{Name: "n", Datatype: "INT64", Shape: []int64{1}, Contents: &contents{Int64Contents: []int64{2_000}}},
	}})
	refused(t, err, codes.DeadlineExceeded)
	assert.Eventually(t, func() bool { // by its own clock, or by the client's leaving, which comes at the same time
		return strings.Contains(f.log.String(), `"status":"DeadlineExceeded"`) || strings.Contains(f.log.String(), `"status":"Canceled"`)
	}, 2*time.Second, time.Millisecond, "the server noticed too")
}

// Past the queue's bound the response comes at once and has the time to wait before the next try.
func TestOverload(t *testing.T) {
	repository := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"})
	require.NoError(t, os.WriteFile(filepath.Join(repository, "slow", "config.yaml"), []byte("queue: {maxRequests: 0}\ninstances: {count: 1}"), 0o644))
	f := start(t, repository, nil)
	r := &request{ModelName: "slow", Inputs: []*input{{Name: "n", Datatype: "INT64", Shape: []int64{1}, Contents: &contents{Int64Contents: []int64{200}}}}}
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			_, err := f.ModelInfer(t.Context(), r)
			results <- err
		}()
	}
	var rejected int
	for range cap(results) {
		if err := <-results; err != nil {
			refused(t, err, codes.ResourceExhausted)
			require.Len(t, status.Convert(err).Details(), 1)
			assert.Positive(t, status.Convert(err).Details()[0].(*errdetails.RetryInfo).GetRetryDelay().AsDuration())
			rejected++
		}
	}
	assert.Positive(t, rejected)
	assert.Less(t, rejected, cap(results))
}

// What is no message, or too large a one, never gets to the handler; it is logged all the same.
func TestNotAMessage(t *testing.T) {
	f := startAll(t)
	err := f.conn.Invoke(t.Context(), oip.GRPCInferenceService_ModelInfer_FullMethodName, []byte("\xff\xff\xff"), nil, grpc.ForceCodec(bytesCodec{}))
	refused(t, err, codes.InvalidArgument, "no protobuf")
	assert.Eventually(t, func() bool { return strings.Contains(f.log.String(), `"status":"InvalidArgument"`) }, 5*time.Second, time.Millisecond)
	_, err = f.ModelInfer(t.Context(), float32s(make([]float32, 1<<18)...))
	refused(t, err, codes.ResourceExhausted)
	assert.Eventually(t, func() bool { return strings.Contains(f.log.String(), `"status":"ResourceExhausted"`) }, 5*time.Second, time.Millisecond)
}

// bytesCodec sends bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error)   { return v.([]byte), nil }
func (bytesCodec) Unmarshal(_ []byte, _ any) error { return nil }
func (bytesCodec) Name() string                    { return "proto" }
