package charts

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// TestPodSecurityRestricted runs the API server's own check on each pod.
func TestPodSecurityRestricted(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		assertRestricted(t, r.deployment.Spec.Template.ObjectMeta, r.deployment.Spec.Template.Spec)
		if r.test != nil {
			assertRestricted(t, r.test.ObjectMeta, r.test.Spec)
		}
	})
}

// TestPodSecurityCheckRefusesAViolation shows that the check works.
func TestPodSecurityCheckRefusesAViolation(t *testing.T) {
	r := render(t, "--set", "securityContext.allowPrivilegeEscalation=true")
	template := r.deployment.Spec.Template
	result := violations(t, template.ObjectMeta, template.Spec)
	require.False(t, result.Allowed)
	require.Contains(t, result.ForbiddenReason(), "allowPrivilegeEscalation != false")
}

func assertRestricted(t *testing.T, meta metav1.ObjectMeta, spec corev1.PodSpec) {
	t.Helper()
	result := violations(t, meta, spec)
	assert.True(t, result.Allowed, "%s: %s", result.ForbiddenReason(), result.ForbiddenDetail())
	assert.False(t, *spec.AutomountServiceAccountToken, "a pod needs no token of the API")
	for _, c := range append(spec.InitContainers, spec.Containers...) {
		if c.Image == "slipway-server:0.1.0" {
			assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, "%s: root file system", c.Name)
		}
	}
}

func violations(t *testing.T, meta metav1.ObjectMeta, spec corev1.PodSpec) policy.AggregateCheckResult {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	return policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &meta, &spec))
}
