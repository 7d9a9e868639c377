//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"slipway/server/oip"
)

// TestGRPC sends gRPC requests to the release's Service, on a node port.
func TestGRPC(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	installIn(t, ns, values{"service": values{"type": "NodePort"}})
	connection, err := grpc.NewClient(nodePort(t, ns, "grpc"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, connection.Close()) })
	client := oip.NewGRPCInferenceServiceClient(connection)

	response, err := client.ModelInfer(t.Context(), &oip.ModelInferRequest{
		ModelName: "iris",
		Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: "X", Datatype: "FP32", Shape: []int64{1, 4},
			Contents: &oip.InferTensorContents{Fp32Contents: []float32{6.8, 2.8, 4.8, 1.4}},
		}},
	}, grpc.WaitForReady(true))
	require.NoError(t, err)
	assert.Equal(t, "label", response.Outputs[0].Name)
	assert.Equal(t, []int64{1}, response.Outputs[0].Contents.Int64Contents)

	_, err = client.RepositoryModelUnload(t.Context(), &oip.RepositoryModelUnloadRequest{ModelName: "iris"})
	assert.Equal(t, codes.PermissionDenied, status.Code(err), "this port refuses administration")
}
