package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"slipway/server/fault"
	"slipway/server/oip"
	"slipway/server/onnx/onnxtest"
)

// However long the names in a request are, its client sees the kind of its error: gRPC's messages are headers,
// which clients bound.
func TestLongMessages(t *testing.T) {
	f := start(t, onnxtest.Repository(t, map[string]string{"plus/1/model.onnx": "constant_1"}), nil)
	long := strings.Repeat("ü\n%", 20_000)
	for protocol, predict := range protocols {
		p := plus()
		p.input = long
		err := predict(t, f, p)
		refused(t, err, fault.InvalidArgument)
		assert.Less(t, len(err.Error()), 2100, protocol)
	}
	_, err := f.client().ModelInfer(t.Context(), &oip.ModelInferRequest{ModelName: long})
	refused(t, rpcError(err), fault.NotFound, `no model "ü`)
	stream, err := f.client().ModelStreamInfer(t.Context(), grpc.WaitForReady(true))
	require.NoError(t, err)
	require.NoError(t, stream.Send(&oip.ModelInferRequest{ModelName: long}))
	response, err := stream.Recv()
	require.NoError(t, err)
	assert.Less(t, len(response.GetErrorMessage()), 2100)
	require.NoError(t, stream.CloseSend())

	err = f.rpc.Invoke(t.Context(), "/"+strings.Repeat("x", 20_000)+"/Y", &oip.ServerLiveRequest{}, &oip.ServerLiveResponse{})
	assert.Equal(t, codes.Unimplemented, status.Code(err), err)
	code, body := f.request(t, f.rest, http.MethodGet, "/v2/models/"+strings.Repeat("m", 20_000), "")
	assert.Equal(t, http.StatusNotFound, code)
	assert.Less(t, len(body), 2200)
}
