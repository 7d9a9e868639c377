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
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	trainingChart   = "../../charts/model-training"
	trainingTimeout = 8 * time.Minute // of a run, while all tests share the machine
	store           = "store"         // the claim of the volume with runs and models
)

// training is a release of the chart model-training whose workspace and models are on a volume that the test can read.
type training struct {
	*release
	volume volume
}

// outcome is the end of a run, as the trainer writes it to its workspace.
type outcome struct {
	Result, Reason string
	Version        int
	Metrics        struct{ HeldOutAccuracy, ValidationAccuracy, Loss float64 }
}

// train runs `helm install` of a training whose workspace and models are on the store.
func train(t *testing.T, ns, name string, v volume, more ...values) *training {
	t.Helper()
	tr := &training{helmOf(t, ns, name, trainingChart), v}
	require.NoError(t, tr.tryInstall(t.Context(), trainingValues(more...), 2*time.Minute), "helm install")
	t.Logf("installed %s in %s", name, ns)
	return tr
}

func trainingValues(more ...values) values {
	return merged(append([]values{{
		"resources": values{
			"requests": values{"cpu": "50m", "memory": "128Mi"},
			"limits":   values{"cpu": "1", "memory": "1Gi"},
		},
		"workspace": values{"existingClaim": store, "accessMode": "ReadWriteMany"},
		"publish":   values{"existingClaim": store, "subPath": "models", "accessMode": "ReadWriteMany"},
	}}, more...)...)
}

func hyperparameters(v values) values { return values{"hyperparameters": v} }

// jobs returns the release's Jobs.
func (tr *training) jobs(t require.TestingT, ctx context.Context) []batchv1.Job {
	jobs, err := cluster.BatchV1().Jobs(tr.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + tr.name})
	require.NoError(t, err)
	return jobs.Items
}

// pods returns the pods of the release's workers, in no order, including those that have ended.
func (tr *training) pods(t require.TestingT, ctx context.Context) []corev1.Pod {
	list, err := cluster.CoreV1().Pods(tr.namespace).List(ctx, metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/component=trainer,app.kubernetes.io/instance=" + tr.name,
	})
	require.NoError(t, err)
	return list.Items
}

// runID returns the run's ID from the environment of the only Job's or the StatefulSet's workers.
func (tr *training) runID(t *testing.T) string {
	t.Helper()
	for _, container := range tr.template(t).Spec.Containers {
		for _, variable := range container.Env {
			if variable.Name == "SLIPWAY_RUN" {
				return variable.Value
			}
		}
	}
	require.Fail(t, "no container has SLIPWAY_RUN")
	return ""
}

func (tr *training) template(t *testing.T) corev1.PodTemplateSpec {
	t.Helper()
	if jobs := tr.jobs(t, t.Context()); len(jobs) > 0 {
		require.Len(t, jobs, 1)
		return jobs[0].Spec.Template
	}
	sets, err := cluster.AppsV1().StatefulSets(tr.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + tr.name})
	require.NoError(t, err)
	require.Len(t, sets.Items, 1)
	return sets.Items[0].Spec.Template
}

// runFolder returns the run's folder on the store.
func (tr *training) runFolder(t *testing.T) string { return tr.name + "/runs/" + tr.runID(t) }

// checkpoints returns the names of the run's checkpoints.
func (tr *training) checkpoints(t *testing.T) []string {
	t.Helper()
	return tr.volume.list(t, tr.runFolder(t)+"/checkpoints")
}

// trains waits until the run has written a checkpoint of a step that is later than the given one.
func (tr *training) trains(t *testing.T, step string) (later string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, name := range tr.checkpoints(t) {
			if strings.HasPrefix(name, "step-") && name > step {
				later = name
			}
		}
		return later != ""
	}, trainingTimeout, 200*time.Millisecond, "%s writes no further checkpoint", tr.name)
	return later
}

// ends waits until the run ends.
func (tr *training) ends(t *testing.T) (o outcome) {
	t.Helper()
	file := tr.volume.folder + "/" + tr.runFolder(t) + "/outcome.json"
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		content, err := tr.volume.try(t.Context(), `cat "$0"`, file)
		require.NoError(c, err, content)
		require.NoError(c, json.Unmarshal([]byte(content), &o))
	}, trainingTimeout, 200*time.Millisecond, "%s does not end", tr.name)
	t.Logf("%s: %+v", tr.name, o)
	return o
}

// publishes waits until the run ends, and asserts that it published a version.
func (tr *training) publishes(t *testing.T) outcome {
	t.Helper()
	o := tr.ends(t)
	require.Equal(t, "published", o.Result, o.Reason)
	return o
}

// completes waits until the Job ends, and returns its condition: Complete or Failed, and the reason.
func (tr *training) completes(t *testing.T) (condition batchv1.JobCondition) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, job := range tr.jobs(t, t.Context()) {
			for _, c := range job.Status.Conditions {
				if (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) && c.Status == corev1.ConditionTrue {
					condition = c
					return true
				}
			}
		}
		return false
	}, trainingTimeout, 200*time.Millisecond, "the Job of %s does not end", tr.name)
	return condition
}

// reasons returns the termination messages of the release's workers.
func (tr *training) reasons(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pod := range tr.pods(t, t.Context()) {
		for _, status := range pod.Status.ContainerStatuses {
			if ended := status.State.Terminated; ended != nil && ended.Message != "" {
				all = append(all, ended.Message)
			}
		}
	}
	return all
}

// epoch is a point of the loss curve.
type epoch struct {
	Epoch                    int
	Loss, ValidationAccuracy float64
}

// history returns the loss curve that is published with the model.
func (tr *training) history(t *testing.T) []epoch {
	t.Helper()
	var about struct{ History []epoch }
	content := tr.volume.shell(t, `cat "$0"`, tr.volume.folder+"/"+tr.runFolder(t)+"/bundle/digits/1/training.json")
	require.NoError(t, json.Unmarshal([]byte(content), &about))
	require.NotEmpty(t, about.History)
	return about.History
}

// logs waits until a worker's log contains the text.
func (tr *training) logs(t *testing.T, pod, text string) {
	t.Helper()
	require.Eventually(t, func() bool {
		log, err := podLog(t.Context(), tr.namespace, pod, &corev1.PodLogOptions{Container: "trainer"})
		return err == nil && strings.Contains(log, text)
	}, trainingTimeout, 200*time.Millisecond, "%s does not log %q", pod, text)
}
