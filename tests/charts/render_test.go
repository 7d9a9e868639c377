package charts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// release holds the objects of one render of model-server.
type release struct {
	deployment      appsv1.Deployment
	test            *corev1.Pod
	services        []corev1.Service
	ingresses       []networkingv1.Ingress
	autoscalers     []autoscalingv2.HorizontalPodAutoscaler
	budgets         []policyv1.PodDisruptionBudget
	network         *networkingv1.NetworkPolicy
	serviceAccounts []corev1.ServiceAccount
	configMaps      map[string]corev1.ConfigMap
	secrets         map[string]corev1.Secret
	all             []metav1.PartialObjectMetadata
}

// eachCase renders model-server with each of its values files.
func eachCase(t *testing.T, check func(*testing.T, release)) {
	eachValues(t, "model-server", func(t *testing.T, file string) { check(t, render(t, "--values", file)) })
}

// eachValues runs a test with each of a chart's values files.
func eachValues(t *testing.T, chart string, check func(t *testing.T, file string)) {
	t.Helper()
	folder := filepath.Join(root, "charts", chart)
	for _, pattern := range []string{"ci/*-values.yaml", "environments/*.yaml", "tests/values/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			name, err := filepath.Rel(folder, file)
			require.NoError(t, err)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				check(t, file)
			})
		}
	}
}

func render(t *testing.T, args ...string) release {
	t.Helper()
	return parse(t, template(t, "model-server", args...))
}

// template returns a chart's render.
func template(t *testing.T, chart string, args ...string) []byte {
	t.Helper()
	args = append([]string{"template", "rel", filepath.Join(root, "charts", chart), "--namespace", "models"}, args...)
	command := exec.CommandContext(t.Context(), filepath.Join(root, ".build/bin/helm"), args...)
	var problem strings.Builder
	command.Stderr = &problem
	out, err := command.Output()
	require.NoError(t, err, "%s\n(without .build/bin/helm: run scripts/tools helm)", problem.String())
	return out
}

func parse(t *testing.T, manifests []byte) release {
	t.Helper()
	r := release{configMaps: map[string]corev1.ConfigMap{}, secrets: map[string]corev1.Secret{}}
	eachObject(t, manifests, func(meta metav1.PartialObjectMetadata, document []byte) {
		r.all = append(r.all, meta)
		r.add(t, meta.Kind, document)
	})
	return r
}

func eachObject(t *testing.T, manifests []byte, read func(meta metav1.PartialObjectMetadata, document []byte)) {
	t.Helper()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		var meta metav1.PartialObjectMetadata
		require.NoError(t, yaml.Unmarshal(document, &meta))
		if meta.Kind != "" {
			read(meta, document)
		}
	}
}

func (r *release) add(t *testing.T, kind string, document []byte) {
	switch kind {
	case "Deployment":
		r.deployment = decode[appsv1.Deployment](t, document)
	case "Pod":
		r.test = new(decode[corev1.Pod](t, document))
	case "Service":
		r.services = append(r.services, decode[corev1.Service](t, document))
	case "Ingress":
		r.ingresses = append(r.ingresses, decode[networkingv1.Ingress](t, document))
	case "HorizontalPodAutoscaler":
		r.autoscalers = append(r.autoscalers, decode[autoscalingv2.HorizontalPodAutoscaler](t, document))
	case "PodDisruptionBudget":
		r.budgets = append(r.budgets, decode[policyv1.PodDisruptionBudget](t, document))
	case "NetworkPolicy":
		r.network = new(decode[networkingv1.NetworkPolicy](t, document))
	case "ServiceAccount":
		r.serviceAccounts = append(r.serviceAccounts, decode[corev1.ServiceAccount](t, document))
	case "ConfigMap":
		c := decode[corev1.ConfigMap](t, document)
		r.configMaps[c.Name] = c
	case "Secret":
		s := decode[corev1.Secret](t, document)
		r.secrets[s.Name] = s
	default:
		t.Fatalf("the chart has a %s, which no test here reads: add it to release", kind)
	}
}

func decode[T any](t *testing.T, document []byte) T {
	t.Helper()
	var object T
	require.NoError(t, yaml.UnmarshalStrict(document, &object), "%s", document)
	return object
}
