package charts

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
)

// TestTheServerAcceptsTheConfiguration parses the chart's configuration with the server's own parser.
func TestTheServerAcceptsTheConfiguration(t *testing.T) {
	eachCase(t, func(t *testing.T, r release) {
		c := serverConfig(t, r)
		for port, address := range map[string]string{"http": c.HTTP.Address, "admin": c.Admin.Address} {
			for _, p := range r.server(t).Ports {
				if p.Name == port {
					assert.Equal(t, address, fmt.Sprintf(":%d", p.ContainerPort))
				}
			}
		}
		stop := time.Duration(*r.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
		assert.Greater(t, stop, c.Shutdown.Delay+c.Shutdown.GracePeriod, "Kubernetes kills the server before it stops")

		mounted := map[string]string{}
		for _, m := range r.server(t).VolumeMounts {
			mounted[m.Name] = m.MountPath
			assert.True(t, m.ReadOnly || m.Name == "scratch" || m.Name == "crash-marks", "%s is not mounted read-only", m.Name)
		}
		if path, ok := mounted["models"]; ok {
			assert.Equal(t, path, c.Models)
		}
		if path, ok := mounted["auth"]; ok {
			assert.Equal(t, path+"/keys.txt", c.Auth.KeysFile)
		} else {
			assert.Empty(t, c.Auth.KeysFile, "the pod mounts no file of keys")
		}
	})
}

func TestTheServerAcceptsTheKeys(t *testing.T) {
	r := render(t, "--set-string", "auth.keys.team-a=first==", "--set-string", "auth.keys.b=second")
	secret := r.secrets["rel-model-server-auth"]
	keys, err := config.ParseKeys(string(secret.Data["keys.txt"]))
	require.NoError(t, err)
	require.Equal(t, []string{"b", "team-a"}, keys.Names())
	for name, entry := range map[string]string{"b": "b", "team-a": "team-a"} {
		found, ok := keys.Match(string(secret.Data[entry]))
		require.True(t, ok)
		require.Equal(t, name, found)
	}
}

func serverConfig(t *testing.T, r release) config.Config {
	t.Helper()
	document := r.configMaps[r.deployment.Name].Data["config.yaml"]
	c, err := config.Parse([]byte(document))
	require.NoError(t, err, document)
	require.NoError(t, c.Validate(), document)
	return c
}

// TestAChangeOfTheConfigurationMakesNewPods: the server reads it only at its start.
func TestAChangeOfTheConfigurationMakesNewPods(t *testing.T) {
	before := render(t).deployment.Spec.Template
	require.Equal(t, before, render(t, "--set", "service.port=8080").deployment.Spec.Template, "a change that does not concern the server")
	require.NotEqual(t, before, render(t, "--set", "config.log.level=debug").deployment.Spec.Template)
}
