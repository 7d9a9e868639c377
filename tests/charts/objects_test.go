package charts

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestServicesSelectOnlyTheServer(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		require.Len(t, r.services, 2)
		for _, s := range r.services {
			selector := labels.SelectorFromSet(s.Spec.Selector)
			assert.True(t, selector.Matches(labels.Set(r.deployment.Spec.Template.Labels)), "%s selects no pod", s.Name)
			if r.test != nil {
				assert.False(t, selector.Matches(labels.Set(r.test.Labels)), "%s selects the test's pod", s.Name)
			}
			for _, p := range s.Spec.Ports {
				assert.True(t, slices.ContainsFunc(r.server(t).Ports, func(c corev1.ContainerPort) bool { return c.Name == p.TargetPort.StrVal }),
					"%s: the server has no port %s", s.Name, p.TargetPort.StrVal)
			}
		}
		assert.Equal(t, r.deployment.Spec.Selector.MatchLabels, r.services[0].Spec.Selector)
	})
}

// The administration port loads models and serves profiles, so nothing may expose it outside the cluster.
func TestAdministrationIsNotExposed(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		for _, s := range r.services {
			for _, p := range s.Spec.Ports {
				if p.TargetPort.StrVal == "admin" {
					assert.Equal(t, corev1.ServiceTypeClusterIP, s.Spec.Type, s.Name)
				}
			}
		}
		public := r.services[0]
		require.Len(t, public.Spec.Ports, 2)
		require.Equal(t, "http", public.Spec.Ports[0].Name)
		require.Equal(t, "grpc", public.Spec.Ports[1].Name)
		for _, i := range r.ingresses {
			for _, rule := range i.Spec.Rules {
				for _, path := range rule.HTTP.Paths {
					backend := networkingv1.IngressServiceBackend{Name: public.Name, Port: networkingv1.ServiceBackendPort{Name: "http"}}
					assert.Equal(t, backend, *path.Backend.Service)
				}
			}
		}
	})
}

func TestReplicasHaveOneOwner(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		if len(r.autoscalers) == 0 {
			assert.NotNil(t, r.deployment.Spec.Replicas)
			return
		}
		assert.Nil(t, r.deployment.Spec.Replicas)
		target := r.autoscalers[0].Spec.ScaleTargetRef
		assert.Equal(t, []string{"apps/v1", "Deployment", r.deployment.Name}, []string{target.APIVersion, target.Kind, target.Name})
	})
}

func TestDisruptionBudgetsSelectThePods(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		for _, b := range r.budgets {
			assert.Equal(t, r.deployment.Spec.Selector, b.Spec.Selector)
		}
	})
}

// A pod waits forever for a ConfigMap or Secret that does not exist.
func TestReferencesResolve(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		for _, v := range r.deployment.Spec.Template.Spec.Volumes {
			switch v.Name {
			case "config":
				assert.Contains(t, r.configMaps[v.ConfigMap.Name].Data, "config.yaml")
			case "auth":
				if secret, ours := r.secrets[v.Secret.SecretName]; ours {
					assert.Contains(t, keysOf(secret), v.Secret.Items[0].Key)
				}
			}
		}
		for _, s := range r.serviceAccounts {
			assert.Equal(t, s.Name, r.deployment.Spec.Template.Spec.ServiceAccountName)
		}
		if r.test == nil {
			return
		}
		for _, e := range r.test.Spec.Containers[0].Env {
			if secret, ours := r.secrets[e.ValueFrom.SecretKeyRef.Name]; ours {
				assert.Contains(t, keysOf(secret), e.ValueFrom.SecretKeyRef.Key)
			}
		}
	})
}

// A server-side apply treats these lists as maps and refuses a second entry with one name.
func TestNamesInListsAreUnique(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		spec := r.deployment.Spec.Template.Spec
		names := map[string][]string{}
		for _, v := range spec.Volumes {
			names["volumes"] = append(names["volumes"], v.Name)
		}
		for _, c := range append(spec.InitContainers, spec.Containers...) {
			names["containers"] = append(names["containers"], c.Name)
			for _, e := range c.Env {
				names[c.Name+" env"] = append(names[c.Name+" env"], e.Name)
			}
			for _, m := range c.VolumeMounts {
				names[c.Name+" mounts"] = append(names[c.Name+" mounts"], m.MountPath)
			}
		}
		for _, o := range r.all {
			names["objects"] = append(names["objects"], o.Kind+"/"+o.Name)
		}
		for where, list := range names {
			slices.Sort(list)
			assert.Equal(t, slices.Compact(slices.Clone(list)), list, where)
		}
	})
}

func (r release) server(t *testing.T) corev1.Container {
	t.Helper()
	for _, c := range r.deployment.Spec.Template.Spec.Containers {
		if c.Name == "server" {
			return c
		}
	}
	t.Fatal("the Deployment has no container server")
	return corev1.Container{}
}

func keysOf(s corev1.Secret) (keys []string) {
	for k := range s.Data {
		keys = append(keys, k)
	}
	for k := range s.StringData {
		keys = append(keys, k)
	}
	return keys
}
