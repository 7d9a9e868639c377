//go:build e2e

package e2e

import (
	"encoding/json"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chartutil"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// aZero is a handwritten 0, the first row of the UCI digits.
const aZero = `{"instances": [[0,0,5,13,9,1,0,0, 0,0,13,15,10,15,5,0, 0,3,15,2,0,11,8,0, 0,4,12,0,0,8,8,0,` +
	` 0,5,8,0,0,9,8,0, 0,4,11,0,1,12,7,0, 0,2,14,5,10,12,0,0, 0,0,6,13,10,0,0,0]]}`

// TestTraining trains a model on two workers, serves it, and trains and serves the next one without a failed request.
func TestTraining(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	tr := train(t, ns, "digits", sharedVolume(t, ns, store))
	first := tr.publishes(t)
	assert.Equal(t, 1, first.Version)
	assert.GreaterOrEqual(t, first.Metrics.HeldOutAccuracy, 0.96)
	assert.Equal(t, batchv1.JobComplete, tr.completes(t).Type)
	assert.Equal(t, int32(2), tr.jobs(t, t.Context())[0].Status.Succeeded)

	installIn(t, ns, merged(withIngress(ns), values{
		"models": values{"persistentVolumeClaim": values{"existingClaim": store, "subPath": "models"}},
		"config": values{"repository": values{"pollInterval": "500ms"}},
	}))
	ingress := throughIngress(hostOf(ns))
	got := ingress.eventually(t, aZero)
	assert.Equal(t, "1", got.header.Get("Slipway-Version"))
	assert.Equal(t, 0, label(t, got.body))
	client := send(t, pace, aZero, ingress, ingress.fresh())
	client.flows(t)

	tr.upgrade(t, trainingValues(hyperparameters(values{"seed": 2})))
	assert.Equal(t, 2, tr.publishes(t).Version)
	require.Eventually(t, func() bool {
		return ingress.post(t, "/predict", aZero).header.Get("Slipway-Version") == "2"
	}, time.Minute, 100*time.Millisecond, "the server does not load version 2")
	client.flows(t)
	for body := range client.stop(t) {
		assert.Equal(t, 0, label(t, body))
	}
	assert.NoError(t, tr.test(), "helm test")
}

// label returns the digit of a response.
func label(t *testing.T, body string) int {
	t.Helper()
	var response struct {
		Predictions []struct{ Label int }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &response), body)
	require.Len(t, response.Predictions, 1, body)
	return response.Predictions[0].Label
}

// TestTrainingStatefulSet scales a training up and down. It ends once.
func TestTrainingStatefulSet(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	with := func(workers int) values {
		return trainingValues(hyperparameters(values{"epochs": 300}), values{
			"workload": values{"kind": "StatefulSet"}, "workers": workers,
			"workspace": values{"existingClaim": nil, "accessMode": "ReadWriteOnce", "size": "50Mi"},
		})
	}
	tr := train(t, ns, "digits", sharedVolume(t, ns, store), with(2))
	worker0 := tr.pods(t, t.Context())[0].GenerateName + "0"
	tr.logs(t, worker0, "2 workers, from the beginning")
	tr.logs(t, worker0, "step ")
	tr.upgrade(t, with(3))
	tr.logs(t, worker0, "3 workers, resumed from step ")
	tr.upgrade(t, with(2))
	tr.logs(t, worker0, "2 workers, resumed from step ")
	tr.logs(t, worker0, "this run has ended: published version 1 of digits")

	old := map[types.UID]bool{}
	for _, pod := range tr.pods(t, t.Context()) {
		old[pod.UID] = true
		require.NoError(t, cluster.CoreV1().Pods(ns).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}))
	}
	require.Eventually(t, func() bool {
		now := tr.pods(t, t.Context())
		return len(now) == 2 && !slices.ContainsFunc(now, func(pod corev1.Pod) bool { return old[pod.UID] })
	}, time.Minute, 200*time.Millisecond, "the pods are not replaced")
	tr.logs(t, worker0, "this run has ended: published version 1 of digits")
	tr.upgrade(t, with(3))
	tr.logs(t, strings.TrimSuffix(worker0, "0")+"2", "this run has ended: published version 1 of digits")
	assert.Equal(t, []string{"1"}, tr.volume.list(t, "models/digits"))
}

// TestTrainingDisruption compares three runs of the same training: with one worker, with two, and with two while one's pod is deleted and
// the other's node is drained. It is not parallel, so that no other test's pods need a node meanwhile.
func TestTrainingDisruption(t *testing.T) {
	ns := namespace(t)
	shared := sharedVolume(t, ns, store)
	same := hyperparameters(values{"epochs": 250, "checkpointSteps": 100})
	disturbed := train(t, ns, "disturbed", shared, same)
	disturb(t, disturbed)
	assert.Equal(t, "published", disturbed.publishes(t).Result)
	assert.Equal(t, batchv1.JobComplete, disturbed.completes(t).Type)
	assert.Zero(t, disturbed.jobs(t, t.Context())[0].Status.Failed, "a disruption does not count as a failure")

	two := train(t, ns, "two", shared, same)
	two.publishes(t)
	one := train(t, ns, "one", shared, same, values{"workers": 1})
	one.publishes(t)
	for _, tr := range []*training{one, two} {
		t.Logf("%s: %s", tr.name, throughput(t, tr))
	}
	// Two workers sum floats in another order; the difference grows with the steps, and is small beside one row's share of the loss.
	want := one.history(t)
	for _, tr := range []*training{two, disturbed} {
		got := tr.history(t)
		require.Len(t, got, len(want))
		for i := range want[:50] {
			assert.InEpsilon(t, want[i].Loss, got[i].Loss, 0.01, "loss of epoch %d of %s", i+1, tr.name)
		}
		last := len(want) - 1
		assert.InEpsilon(t, want[last].Loss, got[last].Loss, 0.02, "final loss of %s", tr.name)
		t.Logf("final loss: %s %v, %s %v", one.name, want[last].Loss, tr.name, got[last].Loss)
	}
}

// disturb deletes worker 1, and drains the node of worker 0 after the run has resumed.
func disturb(t *testing.T, tr *training) {
	t.Helper()
	step := tr.trains(t, "")
	deletePod(t, tr, "1")
	step = tr.trains(t, step)
	step = tr.trains(t, step)
	nodeName := drain(t, tr, "0")
	tr.trains(t, step)
	for _, pod := range tr.pods(t, t.Context()) {
		if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
			assert.NotEqual(t, nodeName, pod.Spec.NodeName, "%s is on the drained node", pod.Name)
		}
	}
}

var rate = regexp.MustCompile(`loss [0-9.]+, (\d+ rows/s)\n`)

// throughput returns the speed that worker 0 logged last.
func throughput(t *testing.T, tr *training) string {
	t.Helper()
	log, err := podLog(t.Context(), tr.namespace, tr.worker(t, "0").Name, &corev1.PodLogOptions{Container: "trainer"})
	require.NoError(t, err)
	all := rate.FindAllStringSubmatch(log, -1)
	require.NotEmpty(t, all, log)
	return all[len(all)-1][1]
}

// TestTrainingRefused tests runs that must not publish.
func TestTrainingRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, parameter, value, reason, policy string }{
		{"below-the-gate", "minAccuracy", "1.0", `held-out accuracy 0\.\d+ is below minAccuracy 1\.0: nothing is published`, "exit code 65"},
		{"hyperparameter", "learningrate", "0.1", "learningrate is unknown, did you mean learningRate", "exit code 78"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ns := namespace(t)
			var value float64
			require.NoError(t, json.Unmarshal([]byte(c.value), &value))
			tr := train(t, ns, "digits", sharedVolume(t, ns, store), hyperparameters(values{c.parameter: value, "epochs": 5}))
			ended := tr.completes(t)
			assert.Equal(t, batchv1.JobFailed, ended.Type)
			assert.Equal(t, batchv1.JobReasonPodFailurePolicy, ended.Reason)
			assert.Contains(t, ended.Message, c.policy)
			assert.Regexp(t, c.reason, strings.Join(tr.reasons(t), "\n"))
			assert.Empty(t, tr.volume.list(t, "models"))
		})
	}
}

// TestTrainingFullDisk fills the disk at a checkpoint and at publishing. Complete files stay complete, and with more space the run resumes.
func TestTrainingFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("checkpoint", func(t *testing.T) {
		t.Parallel()
		ns := namespace(t)
		v := smallVolume(t, ns, store, "600k")
		tr := train(t, ns, "digits", v, values{"workers": 1, "workload": values{"backoffLimit": 0}})
		assert.Equal(t, batchv1.JobFailed, tr.completes(t).Type)
		assert.Contains(t, strings.Join(tr.reasons(t), "\n"), "No space left on device; the earlier checkpoints are complete")
		checkpoints := tr.checkpoints(t)
		assert.NotEmpty(t, checkpoints)
		for _, name := range checkpoints {
			assert.Regexp(t, `^step-\d{9}\.pt$`, name)
		}
		v.resize(t, "20m")
		tr.upgrade(t, trainingValues(values{"workers": 1, "podAnnotations": values{"try": "again"}}))
		assert.Equal(t, 1, tr.publishes(t).Version)
		tr.logs(t, tr.worker(t, "0").Name, "resumed from step")
	})
	t.Run("publish", func(t *testing.T) {
		t.Parallel()
		ns := namespace(t)
		sharedVolume(t, ns, "workspace")
		v := smallVolume(t, ns, store, "24k")
		with := values{"workers": 1, "workspace": values{"existingClaim": "workspace"}, "hyperparameters": values{"epochs": 20, "minAccuracy": 0.9}}
		tr := train(t, ns, "digits", v, with, values{"workload": values{"backoffLimit": 0}})
		assert.Equal(t, batchv1.JobFailed, tr.completes(t).Type)
		assert.Contains(t, strings.Join(tr.reasons(t), "\n"), "no space left on device")
		assert.Empty(t, tr.volume.list(t, "models/digits"))
		v.resize(t, "20m")
		tr.upgrade(t, trainingValues(with, values{"podAnnotations": values{"try": "again"}}))
		tr.logs(t, tr.worker(t, "0").Name, "published version 1 of digits")
		assert.Equal(t, []string{"1"}, tr.volume.list(t, "models/digits"))
	})
}

// TestProgramOfOnesOwn runs the program of the chart's README: it meets, trains, loses a worker, resumes and publishes.
func TestProgramOfOnesOwn(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	program, err := os.ReadFile(trainingChart + "/examples/train.py")
	require.NoError(t, err)
	code := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "code"}, Data: map[string]string{"train.py": string(program)}}
	_, err = cluster.CoreV1().ConfigMaps(ns).Create(t.Context(), code, metav1.CreateOptions{})
	require.NoError(t, err)
	given, err := chartutil.ReadValuesFile(trainingChart + "/examples/values.yaml")
	require.NoError(t, err)
	tr := train(t, ns, "sine", sharedVolume(t, ns, store), values(given))
	require.Eventually(t, func() bool {
		return slices.Contains(tr.volume.list(t, tr.runFolder(t)), "checkpoint.pt")
	}, trainingTimeout, 200*time.Millisecond, "the program saves no checkpoint")
	deletePod(t, tr, "1")
	assert.Equal(t, batchv1.JobComplete, tr.completes(t).Type)
	var logs strings.Builder
	for _, pod := range tr.pods(t, t.Context()) {
		log, err := podLog(t.Context(), ns, pod.Name, &corev1.PodLogOptions{Container: "trainer"})
		require.NoError(t, err)
		logs.WriteString(log)
	}
	assert.Contains(t, logs.String(), "2 workers, resumed from epoch ")
	assert.Equal(t, []string{"1"}, tr.volume.list(t, "models/sine"))

	// A Job that is gone, as after ttlSecondsAfterFinished, is made anew by an upgrade, and does not train again.
	background := metav1.DeletePropagationBackground
	require.NoError(t, cluster.BatchV1().Jobs(ns).Delete(t.Context(), tr.jobs(t, t.Context())[0].Name, metav1.DeleteOptions{PropagationPolicy: &background}))
	require.Eventually(t, func() bool { return len(tr.pods(t, t.Context())) == 0 }, time.Minute, 200*time.Millisecond, "the Job's pods stay")
	tr.upgrade(t, trainingValues(given))
	assert.Equal(t, batchv1.JobComplete, tr.completes(t).Type)
	for _, pod := range tr.pods(t, t.Context()) {
		tr.logs(t, pod.Name, "has ended; another value of rerun runs it again")
	}

	installIn(t, ns, merged(withIngress(ns), values{
		"models": values{"persistentVolumeClaim": values{"existingClaim": store, "subPath": "models"}},
	}))
	got := throughIngress(hostOf(ns)).eventually(t, `{"instances": [[0.1, 0.2, 0.3, 0.4]]}`)
	var response struct{ Predictions [][]float64 }
	require.NoError(t, json.Unmarshal([]byte(got.body), &response), got.body)
	assert.InDelta(t, math.Sin(1), response.Predictions[0][0], 0.05, "the sine of the sum")
}

// TestTwoTrainings runs two trainings at once in one namespace, which publish to one repository.
func TestTwoTrainings(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	v := sharedVolume(t, ns, store)
	narrow := train(t, ns, "narrow", v, hyperparameters(values{"hidden": 32}))
	wide := train(t, ns, "wide", v, hyperparameters(values{"hidden": 256}))
	versions := []int{narrow.publishes(t).Version, wide.publishes(t).Version}
	assert.ElementsMatch(t, []int{1, 2}, versions)
	assert.ElementsMatch(t, []string{"1", "2"}, v.list(t, "models/digits"))
	for _, tr := range []*training{narrow, wide} {
		assert.Equal(t, batchv1.JobComplete, tr.completes(t).Type)
		assert.Len(t, v.list(t, tr.name+"/runs"), 1)
	}
}

// TestSweep trains two widths, and publishes the one that is better on the validation rows.
func TestSweep(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	v := sharedVolume(t, ns, store)
	tr := train(t, ns, "sweep", v, values{"workers": 1, "hyperparameters": values{"minAccuracy": 0.5}, "sweep": values{"matrix": values{"hidden": []any{2, 64}}}})
	require.Len(t, tr.jobs(t, t.Context()), 2)
	require.Eventually(t, func() bool {
		return strings.TrimSpace(v.shell(t, `cat "$0"/sweep/sweeps/*/outcome.json 2>/dev/null || true`, v.folder)) != ""
	}, trainingTimeout, 200*time.Millisecond)
	assert.Equal(t, []string{"1"}, v.list(t, "models/digits"))
	var about struct {
		Hyperparameters struct{ Hidden int }
	}
	require.NoError(t, json.Unmarshal([]byte(v.shell(t, `cat "$0/models/digits/1/training.json"`, v.folder)), &about))
	assert.Equal(t, 64, about.Hyperparameters.Hidden, "two hidden units are too few")
	assert.NoError(t, tr.test(), "helm test")
}
