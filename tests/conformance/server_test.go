//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

const build = "../../.build"

// server is slipway serve in a process of its own; its addresses are host:port.
type server struct {
	HTTP, GRPC, Admin string
	models            string
}

// serve starts the server on free ports and stops it when the test ends. The test
// fails if the server exits with an error.
func serve(t *testing.T, models, configuration string) *server {
	t.Helper()
	config := filepath.Join(t.TempDir(), "slipway.yaml")
	require.NoError(t, os.WriteFile(config, []byte(configuration+"shutdown: {delay: 0s, gracePeriod: 2m}\n"), 0o600))
	library, err := onnxtest.Library()
	require.NoError(t, err)
	const anyPort = "127.0.0.1:0"
	command := exec.Command(build+"/bin/slipway", "serve", "--config", config, "--models", models, "--onnxruntime-library", library,
		"--http-address", anyPort, "--grpc-address", anyPort, "--admin-address", anyPort)
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start(), "run scripts/conformance")
	s, log, ended := &server{models: models}, bytes.Buffer{}, make(chan struct{})
	addresses := make(chan []byte, 1)
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			if log.Len() == 0 {
				addresses <- bytes.Clone(lines.Bytes()) // the first line lists them
			}
			log.Write(append(lines.Bytes(), '\n'))
		}
		close(addresses)
	}()
	t.Cleanup(func() {
		require.NoError(t, command.Process.Signal(syscall.SIGTERM))
		<-ended
		assert.NoError(t, command.Wait())
		if t.Failed() {
			all := log.Bytes()
			t.Logf("the end of the server's log:\n%s", all[max(0, len(all)-4000):])
		}
	})
	first := <-addresses
	require.NoError(t, json.Unmarshal(first, s), "%s", first)
	return s
}

// ready waits until every model is loaded.
func (s *server) ready(t *testing.T) {
	t.Helper()
	reason := ""
	ready := func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.HTTP+"/readyz", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			reason = err.Error()
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		reason = string(body)
		return err == nil && response.StatusCode == http.StatusOK
	}
	for end := time.Now().Add(time.Minute); !ready(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(end), "not ready after a minute: %s", reason)
	}
}
