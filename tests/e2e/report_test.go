//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// report logs what one would look up with kubectl after a failed test: events, pods and the ends of their logs.
func report(ctx context.Context, t *testing.T, ns string) {
	t.Helper()
	events, err := cluster.CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Logf("no events of %s: %v", ns, err)
		return
	}
	slices.SortFunc(events.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	for _, e := range events.Items {
		t.Logf("event %s %s/%s %s: %s", e.LastTimestamp.Format("15:04:05"), e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
	pods, err := cluster.CoreV1().Pods(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Logf("no pods of %s: %v", ns, err)
		return
	}
	for _, pod := range pods.Items {
		status, _ := json.Marshal(pod.Status)
		t.Logf("pod %s on %s: %s", pod.Name, cmp.Or(pod.Spec.NodeName, "no node"), status)
		for _, container := range pod.Spec.Containers {
			for _, previous := range []bool{true, false} {
				log, err := podLog(ctx, ns, pod.Name, &corev1.PodLogOptions{Container: container.Name, Previous: previous, TailLines: new(int64(200))})
				if lines := slices.DeleteFunc(strings.Split(log, "\n"), isRoutine); err == nil && len(lines) > 0 {
					t.Logf("log of %s/%s (previous container: %t):\n%s", pod.Name, container.Name, previous, strings.Join(lines, "\n"))
				}
			}
		}
	}
}

// isRoutine reports whether a log line is empty or the access log's line of a successful request.
func isRoutine(line string) bool { return line == "" || strings.Contains(line, `"status":200`) }

func podLog(ctx context.Context, ns, pod string, options *corev1.PodLogOptions) (string, error) {
	log, err := cluster.CoreV1().Pods(ns).GetLogs(pod, options).DoRaw(ctx)
	return string(log), err
}
