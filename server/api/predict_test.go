package api_test

import (
	"context"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"slipway/server/api"
	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// The two parameters that affect how a request is treated have one bound.
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

// A message shows what came: the string "5" is none of the numbers that it asks for.
func TestParametersOfAnotherType(t *testing.T) {
	_, err := api.Timeout("5")
	assert.EqualError(t, err, `got the string "5", expected a whole number from 0 to 86400000000`)
	_, err = api.Priority(1.5)
	assert.EqualError(t, err, "got 1.5, expected a whole number from 0 to 2147483647")
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

// A long request that has no time is refused before it is decoded, where it would
// be found wrong.
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
