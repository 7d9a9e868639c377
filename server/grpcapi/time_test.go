package grpcapi_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"
	"unicode/utf8"

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

// pumped returns a request of that many bytes: head and very many of part. Repeated
// fields are joined. ###### of a part is its number.
func pumped(bytesOf int, head, part []byte) *request {
	message := bytes.Clone(head)
	for i := 0; len(message)+len(part) < bytesOf; i++ {
		message = append(message, bytes.ReplaceAll(part, []byte("######"), fmt.Appendf(nil, "%06d", i))...)
	}
	r := &request{}
	if proto.Unmarshal(message, r) != nil {
		return nil
	}
	return r
}

// However many parts a message has, it is answered in a time that grows with its
// length.
func FuzzManyParts(f *testing.F) {
	marshal := func(r *request) []byte {
		b, err := proto.Marshal(r)
		require.NoError(f, err)
		return b
	}
	plus := func() []byte { r := float32s(1); r.ModelName = ""; return marshal(r) }()
	for _, seed := range []struct {
		model string
		head  []byte
		part  *request
	}{
		{"plus", nil, &request{Inputs: []*input{{Name: "x"}}}},
		{"plus", nil, &request{Inputs: []*input{{}}}},
		{"plus", nil, &request{Inputs: []*input{{Name: "######", Datatype: "FP32", Shape: []int64{1, 1}}}}},
		{"plus", plus, &request{Outputs: []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: "######"}}}},
		{"plus", plus, &request{Outputs: []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: "z"}}}},
		{"plus", plus, &request{Outputs: []*oip.ModelInferRequest_InferRequestedOutputTensor{{Name: "y"}}}},
		{"plus", plus, &request{Parameters: map[string]*oip.InferParameter{"######": {}}}},
		{"plus", plus, &request{RawInputContents: [][]byte{{}}}},
		{"text", marshal(&request{Inputs: []*input{{Name: "x", Datatype: "BYTES", Shape: []int64{1, 1}}}}), &request{RawInputContents: [][]byte{{0, 0, 0, 0}}}},
		{"######", nil, &request{ModelName: "######"}},
	} {
		f.Add(seed.model, seed.head, marshal(seed.part))
	}
	quiet := telemetry.NewLogger(io.Discard, slog.LevelInfo)
	server := start(f, onnxtest.Repository(f, everyModel), func(o *api.Options) { o.Access, o.Log = quiet, quiet })
	f.Fuzz(func(t *testing.T, model string, head, part []byte) {
		if len(part) == 0 || len(head)+len(part) > 1000 || !utf8.ValidString(model) {
			return
		}
		took := func(bytesOf int) time.Duration {
			r := pumped(bytesOf, head, part)
			if r == nil {
				return 0
			}
			r.ModelName = model
			delete(r.GetParameters(), "timeout")
			began := time.Now()
			_, err := server.ModelInfer(t.Context(), r)
			assert.Contains(t, []codes.Code{codes.OK, codes.InvalidArgument, codes.NotFound, codes.ResourceExhausted}, status.Code(err), err)
			return time.Since(began)
		}
		const most = 512 << 10
		short := took(most / 8)
		// 8 times for what grows with the length, 64 for what grows with its square
		assert.Less(t, took(most), 32*short+time.Second)
	})
}
