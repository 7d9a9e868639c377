package grpcapi_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"slipway/server/api"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
	"slipway/server/telemetry"
)

// Whatever a message has, it is served or it is the caller's fault; and the response
// of an identity model is the request.
func FuzzModelInfer(f *testing.F) {
	raw := simple()
	typed := float32s(1, 2)
	text := &request{ModelName: "text", RawInputContents: [][]byte{[]byte(dtypes["BYTES"].raw)}, Inputs: []*input{{Name: "x", Datatype: "BYTES", Shape: []int64{1, 2}}}}
	half := &request{ModelName: "half", RawInputContents: [][]byte{[]byte(dtypes["FP16"].raw)}, Inputs: []*input{{Name: "x", Datatype: "FP16", Shape: []int64{2, 1}}}}
	number := &request{ModelName: "int8", Inputs: []*input{{Name: "x", Datatype: "INT8", Shape: []int64{2, 1}, Contents: dtypes["INT8"].typed}}}
	for _, r := range []*request{raw, typed, text, half, number} {
		seed, err := proto.Marshal(r)
		require.NoError(f, err)
		f.Add(seed)
	}
	server := start(f, onnxtest.Repository(f, map[string]string{
		"plus/1/model.onnx": "constant_2", "simple/1/model.onnx": "add_sub",
		"text/1/model.onnx": "identity_bytes", "half/1/model.onnx": "identity_fp16", "int8/1/model.onnx": "identity_int8",
	}), func(o *api.Options) { o.Access = telemetry.NewLogger(io.Discard, slog.LevelInfo) })
	f.Fuzz(func(t *testing.T, message []byte) {
		r := &oip.ModelInferRequest{}
		if proto.Unmarshal(message, r) != nil {
			return
		}
		delete(r.GetParameters(), "timeout")
		response, err := server.ModelInfer(t.Context(), r)
		if err != nil {
			assert.Contains(t, []codes.Code{codes.InvalidArgument, codes.NotFound, codes.ResourceExhausted}, status.Code(err), err)
			return
		}
		switch response.GetModelName() {
		case "text", "half":
			assert.Equal(t, r.GetRawInputContents(), response.GetRawOutputContents())
			assert.Equal(t, r.GetInputs()[0].GetShape(), response.GetOutputs()[0].GetShape())
		}
	})
}
