//go:build e2e

package e2e

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

func deployment(t require.TestingT, ctx context.Context, ns string) *appsv1.Deployment {
	d, err := cluster.AppsV1().Deployments(ns).Get(ctx, name, metav1.GetOptions{})
	require.NoError(t, err)
	return d
}

// pods returns the release's pods, including those that are terminating.
func pods(t require.TestingT, ctx context.Context, ns string) []corev1.Pod {
	selector := metav1.FormatLabelSelector(deployment(t, ctx, ns).Spec.Selector)
	list, err := cluster.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{LabelSelector: selector})
	require.NoError(t, err)
	return list.Items
}

func podNames(pods []corev1.Pod) []string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	slices.Sort(names)
	return names
}

func ready(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// settled waits until the release has as many pods as its Deployment specifies, all of them ready and none of them old, and returns them.
// Helm's own wait ends while the old pods still serve.
func settled(t *testing.T, ns string) []corev1.Pod {
	t.Helper()
	var all []corev1.Pod
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		want := deployment(c, t.Context(), ns)
		require.Equal(c, want.Generation, want.Status.ObservedGeneration)
		require.Equal(c, *want.Spec.Replicas, want.Status.UpdatedReplicas)
		all = pods(c, t.Context(), ns)
		require.Len(c, all, int(*want.Spec.Replicas))
		for _, pod := range all {
			require.Nil(c, pod.DeletionTimestamp, "%s is terminating", pod.Name)
			require.True(c, ready(pod), "%s is not ready", pod.Name)
		}
	}, 2*time.Minute, 200*time.Millisecond)
	return all
}

// exits watches a pod that is about to be deleted, and returns a function that waits for its container's exit code.
func exits(t *testing.T, ns, pod string) (code func() int32) {
	t.Helper()
	watcher, err := cluster.CoreV1().Pods(ns).Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + pod})
	require.NoError(t, err)
	t.Cleanup(watcher.Stop)
	return func() int32 {
		t.Helper()
		timeout := time.After(time.Minute)
		for {
			select {
			case event := <-watcher.ResultChan():
				p, ok := event.Object.(*corev1.Pod)
				require.True(t, ok, "%v", event)
				for _, container := range p.Status.ContainerStatuses {
					if end := container.State.Terminated; end != nil {
						return end.ExitCode
					}
				}
				require.NotEqual(t, watch.Deleted, event.Type, "the pod is gone without an exit code")
			case <-timeout:
				require.Fail(t, "the pod has not ended within a minute")
			}
		}
	}
}
