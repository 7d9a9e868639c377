//go:build e2e

package readme

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// elsewhere lists the README's commands that another CI step runs.
var elsewhere = map[string]bool{"make test": true}

// block is a fenced block of the README.
type block struct {
	language, text string
}

func blocks(markdown string) []block {
	var all []block
	for i, part := range strings.Split(markdown, "\n```") {
		if i%2 == 1 { // between an opening fence and its closing one
			language, text, _ := strings.Cut(part, "\n")
			all = append(all, block{language, text})
		}
	}
	return all
}

// TestReadme runs every command of the README in order, and expects the output that the README shows.
func TestReadme(t *testing.T) {
	t.Chdir("../..")
	root, err := os.Getwd()
	require.NoError(t, err)
	// Each block runs in a shell of its own here; a reader's shell keeps what the README exports.
	t.Setenv("KUBECONFIG", root+"/.build/kubeconfig")
	t.Setenv("PATH", root+"/.build/bin:"+os.Getenv("PATH"))
	t.Cleanup(func() {
		assert.NoError(t, os.RemoveAll("wine"))
		// After a failed command, some of them do not exist.
		_ = exec.Command("kubectl", "delete", "namespace", "demo", "wine", "staging", "--ignore-not-found").Run()
	})
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var server *exec.Cmd
	stop := func() {
		if server != nil {
			_ = syscall.Kill(-server.Process.Pid, syscall.SIGTERM)
			_ = server.Wait()
			server = nil
		}
	}
	t.Cleanup(stop)
	printed := ""
	for _, b := range blocks(string(readme)) {
		command := strings.TrimSpace(b.text)
		switch {
		case b.language == "output":
			for line := range strings.Lines(b.text) {
				assert.Contains(t, printed, strings.TrimSpace(line))
			}
		case b.language != "sh" || elsewhere[command]:
		case strings.HasPrefix(command, "make run"):
			stop()
			server = background(t, command)
		default:
			printed = foreground(t, command)
		}
		if t.Failed() {
			return
		}
	}
}

func foreground(t *testing.T, script string) string {
	t.Helper()
	t.Log("$", script)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// background starts a server and waits until it is ready.
func background(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	t.Log("$", script, "&")
	c := exec.Command("bash", "-euo", "pipefail", "-c", script)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that make and what it started end together
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/readyz", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, 5*time.Minute, 100*time.Millisecond)
	return c
}
