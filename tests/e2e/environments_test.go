//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	corev1 "k8s.io/api/core/v1"
)

// TestEnvironments installs the example values of each environment unchanged, and runs the commands of the chart's notes.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	certificate, key, _ := selfSigned(t, "model.example.com")
	for environment, prepare := range map[string]func(t *testing.T, ns string){
		"dev":     func(*testing.T, string) {},
		"staging": func(*testing.T, string) {},
		"prod": func(t *testing.T, ns string) {
			secret(t, ns, "model-tls", corev1.SecretTypeTLS, map[string][]byte{"tls.crt": certificate, "tls.key": key})
			secret(t, ns, "model-api-keys", corev1.SecretTypeOpaque, map[string][]byte{"helm-test": []byte("k3y"), "keys.txt": []byte("helm-test=k3y")})
		},
	} {
		t.Run(environment, func(t *testing.T) {
			v, err := chartutil.ReadValuesFile(filepath.Join(chartFolder, "environments", environment+".yaml"))
			require.NoError(t, err)
			ns := namespace(t)
			prepare(t, ns)
			r := installIn(t, ns, v)
			settled(t, ns)
			runNotes := r.notes(t, certificate)
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				output, err := runNotes()
				require.NoError(c, err)
				require.Contains(c, output, `"label":1`)
			}, time.Minute, time.Second, "a new Ingress takes a moment to reach its controller")
			assert.NoError(t, r.test(), "helm test")
		})
	}
}

// notes returns a function that runs the commands of NOTES.txt and returns their output. The host names of the Ingress resolve to this
// machine and the certificate is trusted; everything else is as a user has it.
func (r *release) notes(t *testing.T, certificate []byte) (run func() (string, error)) {
	t.Helper()
	installed, err := action.NewGet(r.config).Run(name)
	require.NoError(t, err)
	var commands []string
	for line := range strings.Lines(installed.Info.Notes) {
		if strings.HasPrefix(line, "  ") {
			commands = append(commands, line)
		}
	}
	require.NotEmpty(t, commands, "no commands in the notes:\n%s", installed.Info.Notes)

	home := t.TempDir()
	authority := filepath.Join(home, "ca.pem")
	require.NoError(t, os.WriteFile(authority, certificate, 0o600))
	curlrc := []string{"silent", "show-error", "cacert = " + authority}
	for port, address := range ingressAddresses {
		curlrc = append(curlrc, fmt.Sprintf(`connect-to = ":%s:%s"`, port, address))
	}
	require.NoError(t, os.WriteFile(filepath.Join(home, ".curlrc"), []byte(strings.Join(curlrc, "\n")), 0o600))

	script := strings.Join(commands, "")
	return func() (string, error) {
		bash := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		bash.Env = append(os.Environ(), "CURL_HOME="+home, "KUBECONFIG="+cluster.kubeconfig)
		output, err := bash.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("the notes' commands\n%s\nprinted\n%s\n%w", script, output, err)
		}
		return string(output), err
	}
}
