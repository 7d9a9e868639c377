package charts

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/kube/fake"
	helmrelease "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// userValues are what the user of an older chart has set.
var userValues = map[string]values{
	"model-server":   {"replicaCount": 2, "livenessProbe": nil, "service": values{"port": 8080}},
	"model-training": {"workers": 3, "podSecurityContext": values{"fsGroup": nil}},
}

// A release of an older chart, whose values lack the keys of this one, is upgraded with each flag of Helm 3.
func TestUpgradeFromOlderValues(t *testing.T) {
	for _, name := range chartNames {
		for flag, set := range map[string]func(*action.Upgrade){
			"--reuse-values":            func(u *action.Upgrade) { u.ReuseValues = true },
			"--reset-values":            func(u *action.Upgrade) { u.ResetValues = true },
			"--reset-then-reuse-values": func(u *action.Upgrade) { u.ResetThenReuseValues = true },
		} {
			t.Run(name+" "+flag, func(t *testing.T) {
				t.Parallel()
				config := &action.Configuration{
					Releases: storage.Init(driver.NewMemory()), KubeClient: &fake.PrintingKubeClient{Out: io.Discard},
					Capabilities: chartutil.DefaultCapabilities.Copy(), Log: func(string, ...any) {},
				}
				config.Capabilities.KubeVersion = chartutil.KubeVersion{Version: "v1.34.0", Major: "1", Minor: "34"}
				older := load(t, name)
				older.Values = readValues(t, filepath.Join("testdata", "previous", name+".yaml"))
				require.NoError(t, config.Releases.Create(&helmrelease.Release{
					Name: "rel", Namespace: "models", Version: 1, Chart: older, Config: userValues[name],
					Info: &helmrelease.Info{Status: helmrelease.StatusDeployed},
				}))
				u := action.NewUpgrade(config)
				u.Namespace = "models"
				set(u)
				upgraded, err := u.Run("rel", load(t, name), values{})
				require.NoError(t, err)
				all, err := objects(map[string]string{"all.yaml": upgraded.Manifest})
				require.NoError(t, err)

				want := userValues[name]
				if flag == "--reset-values" {
					want = values{}
				}
				expected, err := renderWith(load(t, name), want, chartutil.ReleaseOptions{Name: "rel", Namespace: "models", IsUpgrade: true})
				require.NoError(t, err)
				wanted, err := objects(expected)
				require.NoError(t, err)
				found := map[string]values{}
				for _, object := range all {
					name, _ := nameOf(object)
					found[object["kind"].(string)+name] = object
				}
				for _, object := range wanted {
					name, _ := nameOf(object)
					if object["kind"] != "Pod" { // the pod of helm test is in no manifest
						assert.Equal(t, object, found[object["kind"].(string)+name])
					}
				}
			})
		}
	}
}

// Helm 4 takes an older release's values, too, in place of the chart's own.
func TestOlderValuesForEachHelm(t *testing.T) {
	for _, name := range chartNames {
		folder := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join(root, "charts", name))))
		previous, err := os.ReadFile(filepath.Join("testdata", "previous", name+".yaml"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, "values.yaml"), previous, 0o600))
		user := writeValues(t, userValues[name])
		for _, helm := range []string{"helm", "helm4"} {
			reused := runHelm(t, helm, "template", "rel", folder, "--values", user)
			reset := runHelm(t, helm, "template", "rel", filepath.Join(root, "charts", name), "--values", user)
			assert.Equal(t, reset, reused, "%s: %s", helm, name)
		}
	}
}
