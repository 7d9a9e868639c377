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

// TestHotReload lays versions into the volume of running pods, a bad one among them. Nothing restarts and not one request fails.
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
	require.JSONEq(t, oneAnswer, ingress.eventually(t, oneRow).body)
	before := podNames(settled(t, ns))
	client := send(t, pace, oneRow, ingress, ingress.fresh())
	client.flows(t)

	put("/constant/2/model.onnx", testModels+"corrupt.onnx")
	require.Eventually(t, func() bool {
		a, err := ingress.do(t.Context(), http.MethodPost, "/v2/repository/index", "{}")
		return err == nil && strings.Contains(a.body, "UNAVAILABLE") && strings.Contains(a.body, `"2"`)
	}, 30*time.Second, 200*time.Millisecond, "the index says nothing of the version that cannot be loaded")
	client.flows(t)
	assert.Equal(t, map[string]bool{oneAnswer: true}, kinds(client.counted()))

	put("/constant/3/model.onnx", testModels+"constant_2.onnx")
	require.Eventually(t, func() bool { return kinds(client.counted())[twoAnswer] }, 30*time.Second, 100*time.Millisecond, "version 3 does not answer")
	client.flows(t)
	a := ingress.post(t, "/predict", oneRow)
	assert.JSONEq(t, twoAnswer, a.body)
	assert.Equal(t, "3", a.header.Get("Slipway-Version"))
	client.stop(t)
	assert.Equal(t, before, podNames(settled(t, ns)), "pods were replaced")
}

func kinds(answers map[string]int) map[string]bool {
	all := map[string]bool{}
	for body := range answers {
		all[strings.TrimSpace(body)] = true
	}
	return all
}
