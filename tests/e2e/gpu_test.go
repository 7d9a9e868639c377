//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const gpu = corev1.ResourceName("nvidia.com/gpu")

// TestGPU has one worker say that it has one GPU. There is none: it shows where Kubernetes puts the pods, not what runs on the GPU.
func TestGPU(t *testing.T) {
	node := advertiseGPU(t)
	withGPU := values{"gpu": values{"enabled": true}}
	r := install(t, withGPU)
	first := settled(t, r.namespace)
	require.Len(t, first, 1)
	assert.Equal(t, node, first[0].Spec.NodeName)
	limit := first[0].Spec.Containers[0].Resources.Limits[gpu]
	assert.Equal(t, "1", limit.String())
	service := throughService(r.namespace, name, "http")
	assert.Contains(t, service.eventually(t, irisRows).body, `"label":1`)

	t.Run("a second release stays pending", func(t *testing.T) {
		ns := namespace(t)
		err := helmIn(t, ns).tryInstall(t.Context(), withGPU, 5*time.Second)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			all := pods(c, t.Context(), ns)
			require.Len(c, all, 1)
			require.Equal(c, corev1.PodPending, all[0].Status.Phase)
			require.Contains(c, unschedulable(all[0]), "Insufficient nvidia.com/gpu")
		}, 30*time.Second, 200*time.Millisecond)
		require.Error(t, err, "helm install --wait was content with a pod that has no node")
	})

	t.Run("a rollout completes though all GPUs are taken", func(t *testing.T) {
		r.upgrade(t, merged(withGPU, values{"config": values{"log": values{"level": "debug"}}}))
		second := settled(t, r.namespace)
		require.Len(t, second, 1)
		assert.NotEqual(t, first[0].Name, second[0].Name)
		assert.Contains(t, service.eventually(t, irisRows).body, `"label":1`)
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

// advertiseGPU patches one GPU into the status of one worker, as a device plugin would, and takes it out again after the test.
func advertiseGPU(t *testing.T) (node string) {
	t.Helper()
	node = worker(t)
	patch := func(ctx context.Context, operation string) error {
		var patches []map[string]string
		for _, list := range []string{"capacity", "allocatable"} {
			patches = append(patches, map[string]string{"op": operation, "path": "/status/" + list + "/nvidia.com~1gpu", "value": "1"})
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
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := patch(ctx, "remove"); err != nil {
			t.Errorf("node %s still says that it has a GPU: %v", node, err)
		}
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		n, err := cluster.CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
		require.NoError(c, err)
		require.Equal(c, resource.MustParse("1"), n.Status.Allocatable[gpu])
	}, time.Minute, 200*time.Millisecond)
	t.Logf("node %s advertises one GPU", node)
	return node
}
