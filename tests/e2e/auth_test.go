//go:build e2e

package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	const key, keyName = "s3cret-of-the-e2e", "mobile-app"
	ns := namespace(t)
	secret(t, ns, "keys", corev1.SecretTypeOpaque, map[string][]byte{
		"keys.txt": []byte("# callers\n" + keyName + "=" + key + "\n"), "right": []byte(key), "wrong": []byte("wrong"),
	})
	v := merged(withIngress(ns), withAdministration(t), values{"auth": values{"existingSecret": "keys"}, "helmTest": values{"apiKeyEntry": "right"}})
	r := installIn(t, ns, v)
	ingress := throughIngress(r.host())
	ingress.with("X-Api-Key", key).eventually(t, irisRows)

	for name, caller := range map[string]struct {
		*endpoint
		status int
	}{
		"no key":             {ingress, http.StatusUnauthorized},
		"wrong key":          {ingress.with("X-Api-Key", "wrong"), http.StatusUnauthorized},
		"wrong bearer":       {ingress.with("Authorization", "Bearer wrong"), http.StatusUnauthorized},
		"the name, no key":   {ingress.with("X-Api-Key", keyName), http.StatusUnauthorized},
		"the key in basic":   {ingress.with("Authorization", "Basic "+key), http.StatusUnauthorized},
		"the key":            {ingress.with("X-Api-Key", key), http.StatusOK},
		"the key, as bearer": {ingress.with("Authorization", "Bearer "+key), http.StatusOK},
	} {
		got := caller.post(t, "/predict", irisRows)
		assert.Equal(t, caller.status, got.status, "%s: %s", name, got.body)
	}
	assert.Equal(t, http.StatusUnauthorized, ingress.get(t, "/v1/models").status)
	for _, path := range []string{"/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"} {
		assert.Equal(t, http.StatusOK, ingress.get(t, path).status, path)
	}
	assert.Equal(t, http.StatusOK, throughService(ns, adminName, "admin").get(t, "/metrics").status)

	for _, pod := range settled(t, ns) {
		log, err := podLog(t.Context(), ns, pod.Name, &corev1.PodLogOptions{})
		require.NoError(t, err)
		assert.Contains(t, log, keyName)
		assert.NotContains(t, log, key)
	}

	require.NoError(t, r.test(), "helm test with the key")
	r.upgrade(t, merged(v, values{"helmTest": values{"apiKeyEntry": "wrong"}}))
	require.Error(t, r.test(), "helm test with a wrong key")
}
