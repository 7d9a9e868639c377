//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHotReload installs versions in the volume of running pods, a bad one among them. Nothing restarts and no request fails.
func TestHotReload(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	put := claim(t, ns, "models")
	put("/constant/1/model.onnx", testModels+"constant_1.onnx")
	r := installIn(t, ns, merged(withIngress(ns), values{
		"models": values{"persistentVolumeClaim": values{"existingClaim": "models"}},
		"config": values{"repository": values{"pollInterval": "500ms"}},
	}))
	ingress := throughIngress(r.host())
	require.JSONEq(t, oneResponse, ingress.eventually(t, oneRow).body)
	before := podNames(settled(t, ns))
	client := send(t, pace, oneRow, ingress, ingress.fresh())
	client.flows(t)

	put("/constant/2/model.onnx", testModels+"corrupt.onnx")
	require.Eventually(t, func() bool {
		index, err := ingress.do(t.Context(), http.MethodPost, "/v2/repository/index", "{}")
		return err == nil && strings.Contains(index.body, "UNAVAILABLE") && strings.Contains(index.body, `"2"`)
	}, 30*time.Second, 200*time.Millisecond, "the index does not list the version that cannot be loaded")
	client.flows(t)
	assert.Equal(t, map[string]bool{oneResponse: true}, distinct(client.counted()))

	put("/constant/3/model.onnx", testModels+"constant_2.onnx")
	require.Eventually(t, func() bool { return distinct(client.counted())[twoResponse] }, 30*time.Second, 100*time.Millisecond, "version 3 is not served")
	client.flows(t)
	got := ingress.post(t, "/predict", oneRow)
	assert.JSONEq(t, twoResponse, got.body)
	assert.Equal(t, "3", got.header.Get("Slipway-Version"))
	client.stop(t)
	assert.Equal(t, before, podNames(settled(t, ns)), "pods were replaced")
}

// distinct returns the set of response bodies.
func distinct(counts map[string]int) map[string]bool {
	bodies := map[string]bool{}
	for body := range counts {
		bodies[strings.TrimSpace(body)] = true
	}
	return bodies
}
