//go:build e2e

package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestIngress(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	r := installIn(t, ns, merged(withIngress(ns), withAdministration(t)))
	ingress := throughIngress(r.host())

	got := ingress.eventually(t, irisRows)
	assert.Contains(t, got.body, `"label":1`)
	assert.Equal(t, http.StatusNotFound, throughIngress("other.slipway.test").post(t, "/predict", irisRows).status, "another host name")

	// No path leads from outside to the administration port.
	require.Equal(t, http.StatusOK, throughService(ns, adminName, "admin").get(t, "/metrics").status)
	assert.Equal(t, http.StatusNotFound, ingress.get(t, "/metrics").status)
	ingresses, err := cluster.NetworkingV1().Ingresses(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, ingress := range ingresses.Items {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				assert.Equal(t, "http", path.Backend.Service.Port.Name)
			}
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	certificate, key, roots := selfSigned(t, hostOf(ns))
	secret(t, ns, "certificate", corev1.SecretTypeTLS, map[string][]byte{"tls.crt": certificate, "tls.key": key})
	r := installIn(t, ns, merged(withIngress(ns), values{
		"ingress": values{"tls": []any{values{"secretName": "certificate", "hosts": []any{hostOf(ns)}}}},
	}))

	got := throughTLS(r.host(), roots).eventually(t, irisRows)
	assert.Contains(t, got.body, `"label":1`)
	_, _, others := selfSigned(t, hostOf(ns))
	_, err := throughTLS(r.host(), others).do(t.Context(), http.MethodPost, "/predict", irisRows)
	assert.ErrorContains(t, err, "certificate", "a client that trusts another certificate")
}

// withIngress returns the values that put the namespace's release behind the Ingress under a host name of its own.
func withIngress(ns string) values {
	return values{"ingress": values{"enabled": true, "hosts": []any{values{"host": hostOf(ns)}}}}
}
