//go:build e2e

package e2e

import (
	"bytes"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFetch serves models that an init container fetches from an S3 store, which this process runs.
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
			"source":    "s3://models/prod?region=eu-central-1&endpoint=" + url.QueryEscape(serveToNodes(t, store)),
			"sizeLimit": "100Mi",
		}},
		"credentials": values{"env": values{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}},
	})
	got := throughService(ns, name, "http").eventually(t, oneRow)
	assert.JSONEq(t, twoResponse, got.body)
	assert.Equal(t, "7", got.header.Get("Slipway-Version"))
}

// serveToNodes serves a store at an address of this machine that the nodes reach, and returns its URL.
func serveToNodes(t *testing.T, store gofakes3.Backend) string {
	t.Helper()
	// A UDP connection sends no packet; it selects the local address on the route to the node.
	probe, err := net.Dial("udp", net.JoinHostPort(nodeIP(t), "9"))
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
	return server.URL
}
