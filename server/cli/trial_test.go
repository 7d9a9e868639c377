package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

// withBombs is a repository of a good model and of all that end what opens them.
func withBombs(t *testing.T) string {
	t.Helper()
	folder := onnxtest.Repository(t, map[string]string{"good/1/model.onnx": "constant_1"})
	for _, bomb := range []string{"functions", "folding", "huge_input", "greedy"} {
		model, err := os.ReadFile(filepath.Join("..", "trial", "testdata", bomb+".onnx"))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(folder, bomb), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, bomb, "model.onnx"), model, 0o600))
	}
	return folder
}

const one = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}`

func postTo(t *testing.T, url, body string) (code int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// index returns the repository index as text.
func (s *server) index(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.admin+"/v2/repository/index", http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

func TestAServerStartsWithModelsThatEndWhatOpensThem(t *testing.T) {
	configuration := write(t, "repository: {loadTimeout: 5s}\ntrial: {memory: 300000000}\nshutdown: {delay: 0s}\n")
	folder := withBombs(t)
	s := serve(t, "--config", configuration, "--models", folder)
	answers := func() bool { return postTo(t, s.url+"/v2/models/good/infer", one) == http.StatusOK }
	require.Eventually(t, answers, 20*time.Second, 10*time.Millisecond, "while the others are tried")
	require.Eventually(t, func() bool {
		index := s.index(t)
		return strings.Count(index, "UNAVAILABLE") == 3 && strings.Count(index, "READY") == 2
	}, 30*time.Second, 50*time.Millisecond)
	for _, reason := range []string{"did not end within 5s, opening the model", ", warming up: "} {
		assert.Contains(t, s.index(t), reason)
	}
	assert.True(t, answers())
	onnxtest.Put(t, filepath.Join(folder, "good", "2", "model.onnx"), "constant_2")
	assert.Equal(t, http.StatusOK, postTo(t, s.admin+"/v2/repository/models/good/load", ""))
	assert.True(t, answers())
	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	log, code := s.ended(t)
	assert.Zero(t, code, log)
}

// slowRepository has a model whose golden answer takes an hour.
func slowRepository(t *testing.T, golden bool) string {
	t.Helper()
	folder := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"})
	if golden {
		line := `{"request":{"inputs":[{"name":"n","datatype":"INT64","shape":[1],"data":[3600000]}]},` +
			`"response":{"outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[3600000]}]}}` + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, "slow", "1", "golden.ndjson"), []byte(line), 0o600))
	}
	return folder
}

// child waits for the child process of a trial and returns its number.
func (s *server) child(t *testing.T) (pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.Process.Pid))
		require.NoError(t, err)
		for _, list := range lists {
			text, _ := os.ReadFile(list)
			if _, err := fmt.Sscan(string(text), &pid); err == nil {
				return true
			}
		}
		return false
	}, 20*time.Second, time.Millisecond)
	return pid
}

func gone(pid int) bool { return syscall.Kill(pid, 0) != nil || zombie(pid) }

// zombie reports whether a process has ended and only nobody has waited for it: its
// parent was killed.
func zombie(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(stat), ") Z ")
}

func TestATrialEndsWithItsServer(t *testing.T) {
	for name, end := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "--config", write(t, "shutdown: {delay: 0s}\n"), "--models", slowRepository(t, true))
			pid := s.child(t)
			began := time.Now()
			require.NoError(t, s.Process.Signal(end))
			_, code := s.ended(t)
			assert.Less(t, time.Since(began), 10*time.Second, "it waits for no load")
			if end == syscall.SIGTERM {
				assert.Zero(t, code)
			}
			require.Eventually(t, func() bool { return gone(pid) }, 20*time.Second, time.Millisecond)
		})
	}
}

// sendSlow sends a request that takes an hour, and ends with the server.
func (s *server) sendSlow(ctx context.Context) {
	body := strings.NewReader(`{"inputs":[{"name":"n","datatype":"INT64","shape":[1],"data":[3600000]}]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v2/models/slow/infer", body)
	if err != nil {
		panic(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

func TestAfterADeathTheServerSaysWhatWasRunning(t *testing.T) {
	marks := t.TempDir()
	configuration := write(t, "crashMarks: {folder: "+marks+"}\nshutdown: {delay: 0s}\n")
	folder := slowRepository(t, false)
	var s *server
	for range 3 {
		s = serve(t, "--config", configuration, "--models", folder)
		s.ready(t)
		go s.sendSlow(t.Context())
		require.Eventually(t, func() bool {
			text, err := os.ReadFile(filepath.Join(marks, "running"))
			return err == nil && text[0] == 1
		}, 20*time.Second, time.Millisecond)
		require.NoError(t, s.Process.Kill())
		_, _ = s.ended(t)
	}
	s = serve(t, "--config", configuration, "--models", folder)
	require.Eventually(t, func() bool { return strings.Contains(s.index(t), "3 times within an hour") }, 20*time.Second, 10*time.Millisecond)
	_, metrics := get(t, s.admin+"/metrics")
	assert.Contains(t, metrics, `slipway_model_crashes_total{model="slow",version="1"} 1`)
	onnxtest.Put(t, filepath.Join(folder, "slow", "1", "model.onnx"), "constant_1")
	assert.Equal(t, http.StatusOK, postTo(t, s.admin+"/v2/repository/models/slow/load", ""), "other content is loaded")
	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	_, code := s.ended(t)
	assert.Zero(t, code)
	_, err := os.Stat(filepath.Join(marks, "running"))
	assert.ErrorIs(t, err, os.ErrNotExist, "a clean stop leaves no marks")
}

func TestTrialIsNotRunByHand(t *testing.T) {
	out, ok := ran(t, "trial")
	assert.False(t, ok)
	assert.Contains(t, out, "is run by slipway serve")
	out, ok = ran(t, "--help")
	require.True(t, ok, out)
	assert.NotContains(t, out, "trial")
}

// Without trials a model that is never opened stays behind in ONNX Runtime. Its load
// ends all the same, and so does the server.
func TestWithoutTrialsALoadHasADeadline(t *testing.T) {
	folder := withBombs(t)
	for _, bomb := range []string{"functions", "huge_input", "greedy"} {
		require.NoError(t, os.RemoveAll(filepath.Join(folder, bomb)))
	}
	configuration := write(t, "repository: {loadTimeout: 1s}\ntrial: {enabled: false}\nshutdown: {delay: 0s}\n")
	s := serve(t, "--config", configuration, "--models", folder)
	require.Eventually(t, func() bool { return strings.Contains(s.index(t), "is left behind") }, 20*time.Second, 10*time.Millisecond)
	assert.Contains(t, s.index(t), "did not end within 1s (repository.loadTimeout)")
	assert.Equal(t, http.StatusOK, postTo(t, s.url+"/v2/models/good/infer", one))
	began := time.Now()
	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	_, code := s.ended(t)
	assert.Less(t, time.Since(began), 10*time.Second)
	assert.Zero(t, code)
}
