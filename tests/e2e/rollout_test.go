//go:build e2e

package e2e

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	pace = 20 * time.Millisecond // between the requests of a client during a change of the release

	// Two versions of the model "constant", and their responses to the number 1.
	one, two, oneResponse, twoResponse = "constant-1", "constant-2", `{"predictions":[[2]]}`, `{"predictions":[[3]]}`
	oneRow                             = `{"instances": [[1]]}`
)

// constant creates ConfigMaps with a first and a second version of a model, and returns the values that serve the first.
func constant(t *testing.T, ns string) values {
	t.Helper()
	modelConfigMap(t, ns, one, "constant", testModels+"constant_1.onnx")
	modelConfigMap(t, ns, two, "constant", testModels+"constant_2.onnx")
	return merged(withIngress(ns), values{"replicaCount": 2}, modelFrom(one))
}

func TestUpgradeAndRollback(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	v := constant(t, ns)
	r := installIn(t, ns, v)
	ingress := throughIngress(r.host())
	require.JSONEq(t, oneResponse, ingress.eventually(t, oneRow).body)

	client := send(t, pace, oneRow, ingress, ingress.fresh())
	client.flows(t)
	r.upgrade(t, merged(v, modelFrom(two)))
	settled(t, ns)
	client.flows(t)
	assert.JSONEq(t, twoResponse, ingress.post(t, "/predict", oneRow).body, "after the upgrade")

	r.rollback(t, 1)
	settled(t, ns)
	client.flows(t)
	assert.JSONEq(t, oneResponse, ingress.post(t, "/predict", oneRow).body, "after the rollback")

	responses := client.stop(t)
	assert.Len(t, responses, 2, "%v", responses)
	assert.NotZero(t, responses[oneResponse])
	assert.NotZero(t, responses[twoResponse])
}

func TestConfigurationChange(t *testing.T) {
	t.Parallel()
	r := install(t, nil)
	first := podNames(settled(t, r.namespace))

	r.upgrade(t, nil)
	assert.Equal(t, first, podNames(settled(t, r.namespace)), "an upgrade that changes nothing has replaced pods")

	r.upgrade(t, values{"config": values{"log": values{"level": "debug"}}})
	for _, pod := range podNames(settled(t, r.namespace)) {
		assert.NotContains(t, first, pod, "the pod still runs with the old configuration")
	}
}

// TestBadUpgrade upgrades to a release that cannot serve. The old pods must continue to serve.
func TestBadUpgrade(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	v := constant(t, ns)
	modelConfigMap(t, ns, "corrupt", "constant", testModels+"corrupt.onnx")
	r := installIn(t, ns, v)
	ingress := throughIngress(r.host())
	require.JSONEq(t, oneResponse, ingress.eventually(t, oneRow).body)
	old := podNames(settled(t, ns))
	client := send(t, pace, oneRow, ingress, ingress.fresh())

	for _, bad := range []struct {
		name   string
		values values
		reason string // a part of what the new pod logs
	}{
		{"an unknown key", values{"config": values{"nosuchKey": 1}}, "nosuchKey"},
		{"a corrupt model", modelFrom("corrupt"), `"model not loaded","model":"constant"`},
	} {
		err := r.tryUpgrade(t.Context(), merged(v, bad.values), 15*time.Second)
		require.Error(t, err, bad.name)
		t.Logf("helm upgrade to %s: %v", bad.name, err)
		client.flows(t)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			unready := 0
			for _, pod := range pods(c, t.Context(), ns) {
				if slices.Contains(old, pod.Name) {
					assert.True(c, ready(pod), "%s is no longer ready", pod.Name)
					continue
				}
				unready++
				require.False(c, ready(pod), "%s is ready", pod.Name)
				log, err := podLog(t.Context(), ns, pod.Name, &corev1.PodLogOptions{})
				require.NoError(c, err)
				require.Contains(c, log, bad.reason)
			}
			require.NotZero(c, unready, "there is no new pod")
		}, 30*time.Second, time.Second, bad.name)

		r.rollback(t, 1)
		assert.Equal(t, old, podNames(settled(t, ns)), "the rollback has replaced pods that were good")
		client.flows(t)
	}
	assert.Equal(t, []string{oneResponse}, slices.Collect(maps.Keys(client.stop(t))))
}

// TestPodDeletion sends requests through the Service and through the Ingress while both pods are deleted, one after the other.
func TestPodDeletion(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	r := installIn(t, ns, merged(withIngress(ns), values{"replicaCount": 2, "service": values{"type": "NodePort"}}))
	ingress, service := throughIngress(r.host()), throughNodePort(t, ns)
	ingress.eventually(t, irisRows)
	service.eventually(t, irisRows)
	client := send(t, pace, irisRows, ingress, ingress.fresh(), service, service.fresh())
	client.flows(t)

	for _, pod := range podNames(settled(t, ns)) {
		t.Logf("deleting pod %s", pod)
		ended := exits(t, ns, pod)
		require.NoError(t, cluster.CoreV1().Pods(ns).Delete(t.Context(), pod, metav1.DeleteOptions{}))
		assert.Equal(t, int32(0), ended(), "exit code")
		settled(t, ns)
		client.flows(t)
	}
	client.stop(t)
}

// throughNodePort sends requests to the release's Service on a node.
func throughNodePort(t *testing.T, ns string) *endpoint {
	t.Helper()
	return &endpoint{base: "http://" + nodePort(t, ns, "http"), client: &http.Client{Transport: &http.Transport{}}}
}
