//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const (
	chartFolder = "../../charts/model-server"
	// The chart names its objects after the release only when the release has the chart's name.
	name = "model-server"
	// The administration port, which serves the metrics, has a Service of its own.
	adminName = name + "-admin"
)

// values are the values that a user would write into a file for `helm install --values`.
type values = map[string]any

// release is one installation of a chart.
type release struct {
	namespace, name, chart string
	config                 *action.Configuration
}

// install runs `helm install --wait` in a new namespace.
func install(t *testing.T, v values) *release {
	t.Helper()
	return installIn(t, namespace(t), v)
}

// installIn runs `helm install --wait` in a namespace that has what the values need.
func installIn(t *testing.T, ns string, v values) *release {
	t.Helper()
	r := helmIn(t, ns)
	require.NoError(t, r.tryInstall(t.Context(), v, 2*time.Minute), "helm install")
	t.Logf("installed %s in %s", name, ns)
	return r
}

func helmIn(t *testing.T, ns string) *release { return helmOf(t, ns, name, chartFolder) }

func helmOf(t *testing.T, ns, name, chart string) *release {
	t.Helper()
	getter := genericclioptions.NewConfigFlags(false)
	getter.KubeConfig, getter.Namespace = &cluster.kubeconfig, &ns
	r := &release{ns, name, chart, &action.Configuration{}}
	require.NoError(t, r.config.Init(getter, ns, "secret", func(string, ...any) {}))
	return r
}

func (r *release) tryInstall(ctx context.Context, v values, timeout time.Duration) error {
	chart, err := loader.Load(r.chart)
	if err != nil {
		return err
	}
	i := action.NewInstall(r.config)
	i.ReleaseName, i.Namespace, i.Wait, i.Timeout = r.name, r.namespace, true, timeout
	_, err = i.RunWithContext(ctx, chart, v)
	return err
}

// upgrade runs `helm upgrade --wait --reset-values`: the new revision keeps none of the last one's values.
func (r *release) upgrade(t *testing.T, v values) {
	t.Helper()
	require.NoError(t, r.tryUpgrade(t.Context(), v, 2*time.Minute), "helm upgrade")
	t.Logf("upgraded %s in %s", r.name, r.namespace)
}

func (r *release) tryUpgrade(ctx context.Context, v values, timeout time.Duration) error {
	chart, err := loader.Load(r.chart)
	if err != nil {
		return err
	}
	u := action.NewUpgrade(r.config)
	u.Namespace, u.Wait, u.Timeout, u.ResetValues = r.namespace, true, timeout, true
	_, err = u.RunWithContext(ctx, r.name, chart, v)
	return err
}

// rollback runs `helm rollback --wait` to a revision.
func (r *release) rollback(t *testing.T, revision int) {
	t.Helper()
	b := action.NewRollback(r.config)
	b.Version, b.Wait, b.Timeout = revision, true, 2*time.Minute
	require.NoError(t, b.Run(r.name), "helm rollback")
	t.Logf("rolled %s in %s back to revision %d", r.name, r.namespace, revision)
}

// test runs `helm test`.
func (r *release) test() error {
	rt := action.NewReleaseTesting(r.config)
	rt.Namespace, rt.Timeout = r.namespace, time.Minute
	_, err := rt.Run(r.name)
	return err
}

// manifest returns what Helm sent to the cluster last.
func (r *release) manifest(t *testing.T) string {
	t.Helper()
	last, err := action.NewGet(r.config).Run(r.name)
	require.NoError(t, err)
	return last.Manifest
}

// host returns a host name that no other test's Ingress has.
func (r *release) host() string { return hostOf(r.namespace) }

func hostOf(ns string) string { return ns + ".slipway.test" }

// modelFrom returns the values that serve the model of a ConfigMap.
func modelFrom(configMap string) values {
	return values{"models": values{"configMap": values{"name": configMap}}}
}

// withAdministration returns the values that let the API server's proxy, and so this suite, reach the administration port where the
// cluster's network enforces policies.
func withAdministration(t *testing.T) values {
	t.Helper()
	nodes, err := cluster.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	var peers []any
	for _, node := range nodes.Items {
		for _, address := range node.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				peers = append(peers, values{"ipBlock": values{"cidr": address.Address + "/32"}})
			}
		}
	}
	return values{"networkPolicy": values{"adminFrom": peers}}
}

// merged merges values as Helm merges several values files: the last one wins, key by key.
func merged(all ...values) values {
	result := values{}
	for _, v := range all {
		for key, value := range v {
			before, isTable := result[key].(values)
			if after, ok := value.(values); ok && isTable {
				value = merged(before, after)
			}
			result[key] = value
		}
	}
	return result
}
