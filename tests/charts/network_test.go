package charts

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// neighbour is a pod of somebody else in the release's namespace.
var neighbour = labels.Set{"app": "neighbour"}

// admits reports whether the policy lets a pod of the release's namespace reach a
// port, as a cluster decides it. The peers that are given select pods or nobody.
func admits(t *testing.T, p *networkingv1.NetworkPolicy, pod labels.Set, port int32) bool {
	t.Helper()
	for _, rule := range p.Spec.Ingress {
		open := len(rule.Ports) == 0
		for _, r := range rule.Ports {
			open = open || r.Port.IntVal == port
		}
		if open && (len(rule.From) == 0 || isPeer(t, rule.From, pod)) {
			return true
		}
	}
	return false
}

func isPeer(t *testing.T, peers []networkingv1.NetworkPolicyPeer, pod labels.Set) bool {
	t.Helper()
	for _, peer := range peers {
		if peer.PodSelector == nil || peer.NamespaceSelector != nil {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(peer.PodSelector)
		require.NoError(t, err)
		if selector.Matches(pod) {
			return true
		}
	}
	return false
}

// A neighbour in the namespace must not reach metrics, profiles or the loading of
// models. The test's pod must.
func TestTheNetworkPolicyClosesTheAdministrationPort(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		if r.network == nil {
			return
		}
		selector := labels.SelectorFromSet(r.network.Spec.PodSelector.MatchLabels)
		assert.True(t, selector.Matches(labels.Set(r.deployment.Spec.Template.Labels)), "the policy selects no pod")
		for _, p := range r.server(t).Ports {
			if p.Name == "admin" {
				assert.False(t, admits(t, r.network, neighbour, p.ContainerPort), "a neighbour administers")
			}
			if r.test != nil {
				assert.False(t, selector.Matches(labels.Set(r.test.Labels)), "the policy selects the test's pod")
				assert.True(t, admits(t, r.network, r.test.Labels, p.ContainerPort), "the test's pod at %s", p.Name)
			}
		}
	})
}

func TestTheNetworkPolicyAdmitsAnybodyToPredictions(t *testing.T) {
	r := render(t)
	for _, p := range r.server(t).Ports {
		assert.Equal(t, p.Name != "admin", admits(t, r.network, neighbour, p.ContainerPort), p.Name)
	}
}

func TestTheNetworkPolicyAdmitsOnlyPeersThatAreGiven(t *testing.T) {
	r := render(t, "--set", "networkPolicy.from[0].podSelector.matchLabels.app=gateway",
		"--set", "networkPolicy.adminFrom[0].podSelector.matchLabels.app=prometheus")
	for app, want := range map[string][]bool{"gateway": {true, true, false}, "prometheus": {false, false, true}, "neighbour": {false, false, false}} {
		for i, p := range r.server(t).Ports {
			assert.Equal(t, want[i], admits(t, r.network, labels.Set{"app": app}, p.ContainerPort), "%s at %s", app, p.Name)
		}
	}
	for _, p := range r.server(t).Ports {
		assert.True(t, admits(t, r.network, r.test.Labels, p.ContainerPort), "the test's pod at %s", p.Name)
	}
}

// The probes must reach a port that clients can't fill, and liveness must not depend
// on the models.
func TestProbesUseTheAdministrationPort(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		c := r.server(t)
		for path, probes := range map[string][]*corev1.Probe{"/readyz": {c.StartupProbe, c.ReadinessProbe}, "/healthz": {c.LivenessProbe}} {
			for _, p := range probes {
				assert.Equal(t, path, p.HTTPGet.Path)
				assert.Equal(t, "admin", p.HTTPGet.Port.StrVal)
			}
		}
	})
}
