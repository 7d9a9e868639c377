package grpcapi_test

import (
	"reflect"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"slipway/server/fault"
	"slipway/server/grpcapi"
	"slipway/server/oip"
)

// taken returns the bytes that a message holds when it is decoded.
func taken(t testing.TB, body []byte, m proto.Message) int64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools held
	runtime.ReadMemStats(&before)
	err := proto.Unmarshal(body, m)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	runtime.KeepAlive(m)
	runtime.KeepAlive(body)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// What a message becomes is known before it is decoded, also of those that become
// much.
func TestFootprint(t *testing.T) {
	numbers := func(n int) []int64 { return make([]int64, n) }
	for name, of := range map[string]func() *oip.ModelInferRequest{
		"raw": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{RawInputContents: [][]byte{make([]byte, 1<<20)}}
		},
		"empty raw": func() *oip.ModelInferRequest { return &oip.ModelInferRequest{RawInputContents: make([][]byte, 1<<16)} },
		"shape": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Inputs: []*oip.ModelInferRequest_InferInputTensor{{Shape: numbers(1 << 18)}}}
		},
		"floats": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Inputs: []*oip.ModelInferRequest_InferInputTensor{{Contents: &oip.InferTensorContents{Fp32Contents: make([]float32, 1<<18)}}}}
		},
		"bools": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Inputs: []*oip.ModelInferRequest_InferInputTensor{{Contents: &oip.InferTensorContents{BoolContents: make([]bool, 1<<18)}}}}
		},
		"empty strings": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Inputs: []*oip.ModelInferRequest_InferInputTensor{{Contents: &oip.InferTensorContents{BytesContents: make([][]byte, 1<<16)}}}}
		},
		"empty inputs": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Inputs: repeated(1<<14, &oip.ModelInferRequest_InferInputTensor{})}
		},
		"empty outputs": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Outputs: repeated(1<<14, &oip.ModelInferRequest_InferRequestedOutputTensor{})}
		},
		"names": func() *oip.ModelInferRequest {
			return &oip.ModelInferRequest{Outputs: repeated(1<<14, &oip.ModelInferRequest_InferRequestedOutputTensor{Name: "z"})}
		},
		"parameters": func() *oip.ModelInferRequest { return &oip.ModelInferRequest{Parameters: parameters(1 << 12)} },
	} {
		t.Run(name, func(t *testing.T) {
			body, err := proto.Marshal(of())
			require.NoError(t, err)
			bound, err := grpcapi.Footprint(body, (&oip.ModelInferRequest{}).ProtoReflect().Descriptor())
			require.NoError(t, err)
			got := taken(t, body, &oip.ModelInferRequest{})
			assert.GreaterOrEqual(t, bound, got, "%d bytes on the wire", len(body))
			assert.LessOrEqual(t, bound, 8*got+8192, "not much too high")
		})
	}
}

func repeated[T any](n int, one T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = one
	}
	return all
}

func parameters(n int) map[string]*oip.InferParameter {
	all := map[string]*oip.InferParameter{}
	for i := range n {
		all[strconv.Itoa(i)] = &oip.InferParameter{}
	}
	return all
}

// The bytes of a message bound those of all that a client can send.
func TestSizesOfMessages(t *testing.T) {
	for _, service := range []protoreflect.ServiceDescriptor{
		oip.File_oip_oip_proto.Services().Get(0), healthpb.File_grpc_health_v1_health_proto.Services().Get(0),
		reflectionpb.File_grpc_reflection_v1_reflection_proto.Services().Get(0),
	} {
		for i := range service.Methods().Len() {
			checkSize(t, service.Methods().Get(i).Input())
		}
	}
}

func checkSize(t *testing.T, of protoreflect.MessageDescriptor) {
	t.Helper()
	for i := range of.Fields().Len() {
		if field := of.Fields().Get(i).Message(); field != nil {
			checkSize(t, field)
		}
	}
	if of.IsMapEntry() {
		return
	}
	m, err := protoregistry.GlobalTypes.FindMessageByName(of.FullName())
	require.NoError(t, err)
	assert.LessOrEqual(t, reflect.TypeOf(m.Zero().Interface()).Elem().Size(), uintptr(grpcapi.MessageBytes), of.FullName())
}

func TestFootprintOfNoMessage(t *testing.T) {
	of := (&oip.ModelInferRequest{}).ProtoReflect().Descriptor()
	for _, body := range []string{"\xff", "\x0a\xff", "\x0a\x05abc", "\x2a\x02\x0a\x09"} {
		_, err := grpcapi.Footprint([]byte(body), of)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err), "%q", body)
	}
}
