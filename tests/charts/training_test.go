package charts

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// trainingRelease holds the objects of one render of model-training.
type trainingRelease struct {
	workers    []corev1.PodTemplateSpec
	templates  []string // names of the StatefulSet's volumeClaimTemplates
	test       *corev1.Pod
	service    corev1.Service
	policy     *networkingv1.NetworkPolicy
	configMaps map[string]corev1.ConfigMap
	objects    []string // kind/name
}

// eachTraining renders model-training with each of its values files.
func eachTraining(t *testing.T, check func(*testing.T, trainingRelease)) {
	eachValues(t, "model-training", func(t *testing.T, file string) {
		r := trainingRelease{configMaps: map[string]corev1.ConfigMap{}}
		eachObject(t, template(t, "model-training", "--values", file), func(meta metav1.PartialObjectMetadata, document []byte) {
			r.objects = append(r.objects, meta.Kind+"/"+meta.Name)
			r.add(t, meta.Kind, document)
		})
		check(t, r)
	})
}

func (r *trainingRelease) add(t *testing.T, kind string, document []byte) {
	t.Helper()
	switch kind {
	case "Job":
		job := decode[batchv1.Job](t, document)
		assert.LessOrEqual(t, len(job.Name), 58, "the name with a worker's index must be a host name")
		r.workers = append(r.workers, job.Spec.Template)
	case "StatefulSet":
		set := decode[appsv1.StatefulSet](t, document)
		r.workers = append(r.workers, set.Spec.Template)
		for _, claim := range set.Spec.VolumeClaimTemplates {
			r.templates = append(r.templates, claim.Name)
		}
	case "Pod":
		r.test = new(decode[corev1.Pod](t, document))
	case "Service":
		r.service = decode[corev1.Service](t, document)
	case "NetworkPolicy":
		r.policy = new(decode[networkingv1.NetworkPolicy](t, document))
	case "ConfigMap":
		c := decode[corev1.ConfigMap](t, document)
		r.configMaps[c.Name] = c
	}
}

func TestWorkersMeetPodSecurityRestricted(t *testing.T) {
	eachTraining(t, func(t *testing.T, r trainingRelease) {
		require.NotEmpty(t, r.workers)
		for _, w := range r.workers {
			assertRestricted(t, w.ObjectMeta, w.Spec)
			for _, c := range append(w.Spec.InitContainers, w.Spec.Containers...) {
				assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, c.Name)
			}
		}
		if r.test != nil {
			assertRestricted(t, r.test.ObjectMeta, r.test.Spec)
		}
	})
}

// The Service and the NetworkPolicy select the workers and not the test's pod.
func TestServiceAndPolicySelectOnlyTheWorkers(t *testing.T) {
	eachTraining(t, func(t *testing.T, r trainingRelease) {
		selectors := []labels.Selector{labels.SelectorFromSet(r.service.Spec.Selector)}
		if r.policy != nil {
			selectors = append(selectors, labels.SelectorFromSet(r.policy.Spec.PodSelector.MatchLabels))
		}
		for _, selector := range selectors {
			for _, w := range r.workers {
				assert.True(t, selector.Matches(labels.Set(w.Labels)))
			}
			if r.test != nil {
				assert.False(t, selector.Matches(labels.Set(r.test.Labels)))
			}
		}
	})
}

// A pod with a mount without a volume, or with one claim as two volumes, waits forever.
func TestWorkersHaveTheirVolumes(t *testing.T) {
	eachTraining(t, func(t *testing.T, r trainingRelease) {
		for _, w := range r.workers {
			volumes, claims := slices.Clone(r.templates), []string{}
			for _, v := range w.Spec.Volumes {
				volumes = append(volumes, v.Name)
				if v.PersistentVolumeClaim != nil {
					claims = append(claims, v.PersistentVolumeClaim.ClaimName)
				}
				if v.ConfigMap != nil {
					for _, item := range v.ConfigMap.Items {
						assert.Contains(t, r.configMaps[v.ConfigMap.Name].Data, item.Key)
					}
				}
			}
			once(t, "volumes", volumes)
			once(t, "claims", claims)
			for _, c := range append(w.Spec.InitContainers, w.Spec.Containers...) {
				var paths, variables []string
				for _, m := range c.VolumeMounts {
					assert.Contains(t, volumes, m.Name, c.Name)
					paths = append(paths, m.MountPath)
				}
				for _, e := range c.Env {
					variables = append(variables, e.Name)
				}
				once(t, c.Name+" mounts", paths)
				once(t, c.Name+" env", variables)
			}
		}
		once(t, "objects", r.objects)
	})
}

func once(t *testing.T, what string, names []string) {
	t.Helper()
	slices.Sort(names)
	assert.Equal(t, slices.Compact(slices.Clone(names)), names, what)
}
