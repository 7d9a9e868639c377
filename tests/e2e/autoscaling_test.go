//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAutoscaling is not parallel to other tests: its load would slow them down.
func TestAutoscaling(t *testing.T) {
	ns := namespace(t)
	modelConfigMap(t, ns, "slow", "slow", testModels+"slow.onnx")
	v := merged(withIngress(ns), modelFrom("slow"), values{
		"autoscaling": values{"enabled": true, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
	})
	r := installIn(t, ns, v)
	assertNoReplicas(t, r.manifest(t))
	ingress := throughIngress(r.host())
	ingress.eventually(t, tenMilliseconds)
	require.Equal(t, int32(1), *deployment(t, t.Context(), ns).Spec.Replicas)

	load := send(t, 0, tenMilliseconds, ingress, ingress)
	t.Log("load is on, waiting for the autoscaler")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		scaled := deployment(c, t.Context(), ns)
		require.GreaterOrEqual(c, *scaled.Spec.Replicas, int32(2))
		require.GreaterOrEqual(c, scaled.Status.ReadyReplicas, int32(2))
	}, 3*time.Minute, time.Second)
	load.stop(t)
	before := *deployment(t, t.Context(), ns).Spec.Replicas
	t.Logf("scaled to %d", before)

	// The autoscaler does not scale down within five minutes, so only Helm could change the number now.
	r.upgrade(t, merged(v, values{"config": values{"log": values{"level": "debug"}}}))
	assertNoReplicas(t, r.manifest(t))
	after := deployment(t, t.Context(), ns)
	assert.GreaterOrEqual(t, *after.Spec.Replicas, before, "the upgrade has reset the replicas")
	for _, field := range after.ManagedFields {
		if strings.Contains(field.FieldsV1.GetRawString(), `"f:replicas"`) && field.Subresource != "status" {
			assert.Equal(t, "scale", field.Subresource, "%s owns the replicas", field.Manager)
		}
	}
}

func assertNoReplicas(t *testing.T, manifest string) {
	t.Helper()
	for line := range strings.Lines(manifest) {
		assert.False(t, strings.HasPrefix(line, "  replicas:"), "the manifest fixes the replicas: %s", line)
	}
}

// tenMilliseconds is a request that keeps the model "slow" busy for ten milliseconds.
const tenMilliseconds = `{"inputs": {"n": [10]}}`
