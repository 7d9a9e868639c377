//go:build e2e

package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/server/oip"
)

// TestGRPC asks the release's Service over gRPC, on a node port.
func TestGRPC(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	installIn(t, ns, values{"service": values{"type": "NodePort"}})
	connection, err := grpc.NewClient(grpcNodePort(t, ns), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, connection.Close()) })
	client := oip.NewGRPCInferenceServiceClient(connection)

	answer, err := client.ModelInfer(t.Context(), &oip.ModelInferRequest{
		ModelName: "iris",
		Inputs: []*oip.ModelInferRequest_InferInputTensor{{
			Name: "X", Datatype: "FP32", Shape: []int64{1, 4},
			Contents: &oip.InferTensorContents{Fp32Contents: []float32{6.8, 2.8, 4.8, 1.4}},
		}},
	}, grpc.WaitForReady(true))
	require.NoError(t, err)
	assert.Equal(t, "label", answer.Outputs[0].Name)
	assert.Equal(t, []int64{1}, answer.Outputs[0].Contents.Int64Contents)

	_, err = client.RepositoryModelUnload(t.Context(), &oip.RepositoryModelUnloadRequest{ModelName: "iris"})
	assert.Equal(t, codes.PermissionDenied, status.Code(err), "administration is not for this port")
}

func grpcNodePort(t *testing.T, ns string) string {
	t.Helper()
	service, err := cluster.CoreV1().Services(ns).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	nodes, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, port := range service.Spec.Ports {
		for _, address := range nodes.Items[0].Status.Addresses {
			if port.Name == "grpc" && address.Type == "InternalIP" {
				return fmt.Sprintf("%s:%d", address.Address, port.NodePort)
			}
		}
	}
	require.Fail(t, "the Service has no node port named grpc")
	return ""
}
