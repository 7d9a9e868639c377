//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestFetch serves models that an init container brings from an S3 store, which this process is.
func TestFetch(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	content, err := os.ReadFile(testModels + "constant_2.onnx")
	require.NoError(t, err)
	store := s3mem.New()
	require.NoError(t, store.CreateBucket("models"))
	_, err = store.PutObject("models", "prod/constant/7/model.onnx", nil, bytes.NewReader(content), int64(len(content)), nil)
	require.NoError(t, err)

	installIn(t, ns, values{
		"models": values{"fetch": values{
			"source":    "s3://models/prod?region=eu-central-1&endpoint=" + url.QueryEscape(serveNodes(t, store)),
			"sizeLimit": "100Mi",
		}},
		"credentials": values{"env": values{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}},
	})
	a := throughService(ns, name, "http").eventually(t, oneRow)
	assert.JSONEq(t, twoAnswer, a.body)
	assert.Equal(t, "7", a.header.Get("Slipway-Version"))
}

// serveNodes serves a store at the address of this machine that the nodes reach, and returns its URL.
func serveNodes(t *testing.T, store gofakes3.Backend) string {
	t.Helper()
	nodes, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, address := range nodes.Items[0].Status.Addresses {
		if address.Type != "InternalIP" {
			continue
		}
		// No packet is sent: the route to the node tells which of our addresses it sees.
		probe, err := net.Dial("udp", net.JoinHostPort(address.Address, "9"))
		require.NoError(t, err)
		own := probe.LocalAddr().(*net.UDPAddr).IP.String()
		require.NoError(t, probe.Close())
		listener, err := net.Listen("tcp", net.JoinHostPort(own, "0"))
		require.NoError(t, err)
		server := httptest.NewUnstartedServer(gofakes3.New(store, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
		require.NoError(t, server.Listener.Close())
		server.Listener = listener
		server.Start()
		t.Cleanup(server.Close)
		return fmt.Sprintf("http://%s", listener.Addr())
	}
	require.Fail(t, "the node has no address")
	return ""
}
