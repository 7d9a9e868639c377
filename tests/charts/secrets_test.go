package charts

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Who may read pods but no Secrets must learn nothing about a Secret, so no object
// but the Secret itself depends on what is in it.
func TestOnlySecretsDependOnTheirContents(t *testing.T) {
	for chart, sets := range map[string][]string{
		"model-server":   {"auth.keys.a=", "credentials.env.B="},
		"model-training": {"credentials.env.B="},
	} {
		for _, set := range sets {
			objects := func(value string) (all []string) {
				args := []string{"--set-string", set + value}
				if chart == "model-server" {
					args = append(args, "--set", "models.fetch.source=s3://models")
				}
				eachObject(t, template(t, chart, args...), func(meta metav1.PartialObjectMetadata, document []byte) {
					if meta.Kind != "Secret" {
						all = append(all, string(document))
					}
				})
				return all
			}
			require.Equal(t, objects("one"), objects("other"), "%s: %s", chart, set)
		}
	}
}

// A client, or a model, that takes over the server must not find the store's credentials.
func TestOnlyTheContainerThatFetchesHasCredentials(t *testing.T) {
	var found atomic.Int32 // the cases run in parallel
	eachCase(t, func(t *testing.T, r release) {
		spec := r.deployment.Spec.Template.Spec
		volumes, secrets := map[string]bool{}, map[string]bool{}
		for _, v := range spec.Volumes {
			if v.Name == "credentials" {
				volumes[v.Name], secrets[v.Secret.SecretName] = true, true
			}
		}
		found.Add(int32(len(secrets)))
		others := spec.Containers
		for _, c := range spec.InitContainers {
			if c.Name == "fetch" {
				assert.Equal(t, len(secrets) > 0, reaches(c, volumes, secrets))
			} else {
				others = append(others, c)
			}
		}
		if r.test != nil {
			others = append(others, r.test.Spec.Containers...)
		}
		for _, c := range others {
			assert.False(t, reaches(c, volumes, secrets), "%s has the store's credentials", c.Name)
		}
	})
	t.Cleanup(func() { assert.NotZero(t, found.Load(), "no case has credentials") })
}

// reaches reports whether a container gets a Secret as variables or files.
func reaches(c corev1.Container, volumes, secrets map[string]bool) bool {
	for _, e := range c.EnvFrom {
		if e.SecretRef != nil && secrets[e.SecretRef.Name] {
			return true
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && secrets[e.ValueFrom.SecretKeyRef.Name] {
			return true
		}
	}
	for _, m := range c.VolumeMounts {
		if volumes[m.Name] {
			return true
		}
	}
	return false
}
