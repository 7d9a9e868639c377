//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// worker returns the newest pod of the Job's worker with the given index.
func (tr *training) worker(t *testing.T, index string) (newest corev1.Pod) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, pod := range tr.pods(c, t.Context()) {
			if pod.Labels["batch.kubernetes.io/job-completion-index"] == index && !pod.CreationTimestamp.Before(&newest.CreationTimestamp) {
				newest = pod
			}
		}
		require.NotEmpty(c, newest.Name)
	}, time.Minute, 100*time.Millisecond, "%s has no worker %s", tr.name, index)
	return newest
}

// deletePod is `kubectl delete pod` of a worker.
func deletePod(t *testing.T, tr *training, index string) {
	t.Helper()
	pod := tr.worker(t, index)
	require.NoError(t, cluster.CoreV1().Pods(tr.namespace).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}))
	t.Logf("deleted %s", pod.Name)
}

// drain is `kubectl drain` of a worker's node that leaves other releases' pods. The node accepts pods again when the test ends.
func drain(t *testing.T, tr *training, index string) string {
	t.Helper()
	node := tr.worker(t, index).Spec.NodeName
	require.NoError(t, cordon(t.Context(), node, true))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
		defer cancel()
		assert.NoError(t, cordon(ctx, node, false), "node %s still accepts no pods", node)
	})
	for _, pod := range tr.pods(t, t.Context()) {
		if pod.Spec.NodeName == node && pod.Status.Phase == corev1.PodRunning {
			eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
			require.NoError(t, cluster.PolicyV1().Evictions(pod.Namespace).Evict(t.Context(), eviction))
			t.Logf("evicted %s from %s", pod.Name, node)
		}
	}
	return node
}

func cordon(ctx context.Context, node string, on bool) error {
	patch := []byte(`{"spec":{"unschedulable":null}}`)
	if on {
		patch = []byte(`{"spec":{"unschedulable":true}}`)
	}
	_, err := cluster.CoreV1().Nodes().Patch(ctx, node, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	return err
}
