//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	kubeconfigFile = "../../.build/kubeconfig"
	testModels     = "../../server/onnx/onnxtest/testdata/"
	suiteLabel     = "app.kubernetes.io/managed-by"
	suiteName      = "slipway-e2e"
)

// kubernetesCluster is a kind cluster that an Ingress controller and the server's image are on.
type kubernetesCluster struct {
	kubernetes.Interface
	kubeconfig string
	config     *rest.Config
	api        *http.Client // speaks to the API server as the kubeconfig's user
}

// connect finds the cluster and says what is missing on it.
func connect(ctx context.Context) (*kubernetesCluster, error) {
	c := &kubernetesCluster{kubeconfig: os.Getenv("KUBECONFIG")}
	if c.kubeconfig == "" {
		c.kubeconfig = kubeconfigFile
	}
	var err error
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig); err != nil {
		return nil, fmt.Errorf("there is no usable kubeconfig: %w", err)
	}
	c.config.QPS, c.config.Burst = 50, 100
	if c.api, err = rest.HTTPClientFor(c.config); err != nil {
		return nil, err
	}
	if c.Interface, err = kubernetes.NewForConfig(c.config); err != nil {
		return nil, err
	}
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("the cluster of %s does not answer: %w", c.kubeconfig, err)
	}
	for _, node := range nodes.Items {
		// The suite patches nodes and makes load: it keeps off clusters that are somebody's work.
		if !strings.HasPrefix(node.Spec.ProviderID, "kind://") {
			return nil, fmt.Errorf("node %s of %s is not a kind node", node.Name, c.kubeconfig)
		}
	}
	chart, err := loader.Load(chartFolder)
	if err != nil {
		return nil, err
	}
	for _, image := range []string{"/slipway-server:", "/slipway-trainer:"} {
		image += chart.AppVersion()
		if !slices.ContainsFunc(nodes.Items, func(n corev1.Node) bool { return hasImage(n, image) }) {
			return nil, fmt.Errorf("no node has the image %s", image[1:])
		}
	}
	return c, c.removeLeftovers(ctx)
}

// hasImage tells whether the kubelet has told of an image whose name ends like this.
func hasImage(node corev1.Node, ending string) bool {
	return slices.ContainsFunc(node.Status.Images, func(i corev1.ContainerImage) bool {
		return slices.ContainsFunc(i.Names, func(name string) bool { return strings.HasSuffix(name, ending) })
	})
}

// removeLeftovers deletes the namespaces of an earlier run that was killed before it could.
func (c *kubernetesCluster) removeLeftovers(ctx context.Context) error {
	old, err := c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: suiteLabel + "=" + suiteName})
	if err != nil {
		return err
	}
	for _, ns := range old.Items {
		if ns.DeletionTimestamp != nil {
			continue
		}
		err = errors.Join(err, c.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}))
	}
	return err
}

// namespace makes a namespace for one test. It enforces the "restricted" Pod Security standard, tells what went on in it when the test
// fails, and goes with the test.
func namespace(t *testing.T) string {
	t.Helper()
	ns, err := cluster.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "e2e-",
		Labels:       map[string]string{suiteLabel: suiteName, "pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if t.Failed() {
			report(ctx, t, ns.Name)
		}
		if err := cluster.CoreV1().Namespaces().Delete(ctx, ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("the namespace %s stays: %v", ns.Name, err)
		}
	})
	return ns.Name
}

// worker is a node that pods are put on.
func worker(t *testing.T) string {
	t.Helper()
	workers, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: "!node-role.kubernetes.io/control-plane"})
	require.NoError(t, err)
	require.NotEmpty(t, workers.Items)
	return workers.Items[0].Name
}

// secret puts a Secret of the given type into the namespace.
func secret(t *testing.T, ns, name string, kind corev1.SecretType, data map[string][]byte) {
	t.Helper()
	_, err := cluster.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: data,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// modelConfigMap puts one of the tiny ONNX models of the server's test data into a ConfigMap, under the file name that makes it the model
// of the given name.
func modelConfigMap(t *testing.T, ns, name, model, file string) {
	t.Helper()
	content, err := os.ReadFile(testModels + file)
	require.NoError(t, err)
	_, err = cluster.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, BinaryData: map[string][]byte{model + ".onnx": content},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}
