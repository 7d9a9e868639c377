//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const gpu = corev1.ResourceName("nvidia.com/gpu")

// TestGPU makes one worker advertise two GPUs. There are none: the test shows where Kubernetes schedules the pods, not what runs on a GPU.
func TestGPU(t *testing.T) {
	node := advertise(t, gpu, "2")
	withGPU := values{"gpu": values{"enabled": true}, "image": values{"gpu": true}}
	ns := namespace(t)
	v := merged(withIngress(ns), withGPU, values{"replicaCount": 2})
	r := installIn(t, ns, v)
	before := settled(t, ns)
	require.Len(t, before, 2)
	for _, pod := range before {
		assert.Equal(t, node, pod.Spec.NodeName)
		limit := pod.Spec.Containers[0].Resources.Limits[gpu]
		assert.Equal(t, "1", limit.String())
	}
	ingress := throughIngress(r.host())
	assert.Contains(t, ingress.eventually(t, irisRows).body, `"label":1`)

	t.Run("a second release stays pending", func(t *testing.T) {
		ns := namespace(t)
		err := helmIn(t, ns).tryInstall(t.Context(), withGPU, 5*time.Second)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			all := pods(c, t.Context(), ns)
			require.Len(c, all, 1)
			require.Equal(c, corev1.PodPending, all[0].Status.Phase)
			require.Contains(c, unschedulable(all[0]), "Insufficient nvidia.com/gpu")
		}, 30*time.Second, 200*time.Millisecond)
		require.Error(t, err, "helm install --wait succeeded with a pod that has no node")
	})

	t.Run("a rollout completes though all GPUs are taken", func(t *testing.T) {
		client := send(t, pace, irisRows, ingress, ingress.fresh())
		r.upgrade(t, merged(v, values{"config": values{"log": values{"level": "debug"}}}))
		for _, pod := range podNames(settled(t, ns)) {
			assert.NotContains(t, podNames(before), pod)
		}
		client.flows(t)
		client.stop(t)
	})
}

func unschedulable(pod corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Message
		}
	}
	return ""
}

// advertise patches a resource into the status of one worker, as a device plugin would, and removes it after the test.
func advertise(t *testing.T, name corev1.ResourceName, count string) (node string) {
	t.Helper()
	node = worker(t)
	patch := func(ctx context.Context, operation string) error {
		var patches []map[string]string
		for _, list := range []string{"capacity", "allocatable"} {
			path := "/status/" + list + "/" + strings.ReplaceAll(string(name), "/", "~1")
			patches = append(patches, map[string]string{"op": operation, "path": path, "value": count})
		}
		body, err := json.Marshal(patches)
		if err != nil {
			return err
		}
		_, err = cluster.CoreV1().Nodes().Patch(ctx, node, types.JSONPatchType, body, metav1.PatchOptions{}, "status")
		return err
	}
	require.NoError(t, patch(t.Context(), "add"))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
		defer cancel()
		if err := patch(ctx, "remove"); err != nil {
			t.Errorf("node %s still advertises %s: %v", node, name, err)
		}
	})
	t.Logf("node %s advertises %s: %s", node, name, count)
	return node
}
