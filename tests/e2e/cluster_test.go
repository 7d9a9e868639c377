//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
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

// kubernetesCluster is a kind cluster that runs an Ingress controller and has the server's image.
type kubernetesCluster struct {
	kubernetes.Interface
	kubeconfig string
	config     *rest.Config
	api        *http.Client // authenticates to the API server as the kubeconfig's user
}

// connect connects to the cluster, and reports what the suite misses on it.
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
		return nil, fmt.Errorf("the cluster of %s does not respond: %w", c.kubeconfig, err)
	}
	for _, node := range nodes.Items {
		// The suite patches nodes and makes load, so it refuses clusters that somebody works with.
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

// hasImage reports whether the node's kubelet lists an image whose name ends with suffix.
func hasImage(node corev1.Node, suffix string) bool {
	return slices.ContainsFunc(node.Status.Images, func(i corev1.ContainerImage) bool {
		return slices.ContainsFunc(i.Names, func(name string) bool { return strings.HasSuffix(name, suffix) })
	})
}

// removeLeftovers deletes the namespaces of an earlier run that was killed before it could delete them.
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

// namespace makes a namespace for one test. It enforces the "restricted" Pod Security standard. When the test ends, the namespace is
// deleted; when the test fails, its events and logs are reported before.
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
			t.Errorf("delete namespace %s: %v", ns.Name, err)
		}
	})
	return ns.Name
}

// worker returns a node that pods can be scheduled on.
func worker(t *testing.T) string {
	t.Helper()
	workers, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{LabelSelector: "!node-role.kubernetes.io/control-plane"})
	require.NoError(t, err)
	require.NotEmpty(t, workers.Items)
	return workers.Items[0].Name
}

// nodeIP returns the internal address of one node.
func nodeIP(t *testing.T) string {
	t.Helper()
	nodes, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, address := range nodes.Items[0].Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			return address.Address
		}
	}
	require.Fail(t, "the node has no internal address")
	return ""
}

// nodePort returns the host:port at which a node serves the named port of the release's Service. kube-proxy picks the pod, as it does for
// clients in the cluster.
func nodePort(t *testing.T, ns, portName string) string {
	t.Helper()
	service, err := cluster.CoreV1().Services(ns).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	for _, port := range service.Spec.Ports {
		if port.Name == portName {
			return net.JoinHostPort(nodeIP(t), strconv.Itoa(int(port.NodePort)))
		}
	}
	require.Fail(t, "the Service has no port named "+portName)
	return ""
}

// secret creates a Secret of the given type in the namespace.
func secret(t *testing.T, ns, name string, kind corev1.SecretType, data map[string][]byte) {
	t.Helper()
	_, err := cluster.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: kind, Data: data,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}

// modelConfigMap creates a ConfigMap with an ONNX model. The server takes the model's name from
// the file name in the ConfigMap.
func modelConfigMap(t *testing.T, ns, name, model, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	_, err = cluster.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, BinaryData: map[string][]byte{model + ".onnx": content},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
}
