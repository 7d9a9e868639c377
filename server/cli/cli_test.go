package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

// asSlipway makes this test binary run as slipway itself.
const asSlipway = "SLIPWAY_TEST_AS_SLIPWAY"

func TestMain(m *testing.M) {
	if os.Getenv(asSlipway) != "" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

func slipway(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if args[0] == "serve" || args[0] == "validate" || args[0] == "inspect" {
		library, err := onnxtest.Library()
		require.NoError(t, err)
		args = append(args, "--onnxruntime-library", library)
	}
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), asSlipway+"=1")
	return c
}

// ran runs a command and returns its output and whether it exited 0.
func ran(t *testing.T, args ...string) (output string, ok bool) {
	t.Helper()
	out, err := slipway(t, args...).CombinedOutput()
	return string(out), err == nil
}

// server is slipway serve in a process of its own.
type server struct {
	*exec.Cmd
	url, admin string
	grpc       string
	rest       chan string // its log after the line of addresses, once it has ended
}

func serve(t *testing.T, args ...string) *server {
	t.Helper()
	c := slipway(t, append([]string{"serve", "--http-address", "127.0.0.1:0", "--grpc-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"}, args...)...)
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	s := &server{Cmd: c, rest: make(chan string, 1)}
	lines := bufio.NewReader(stderr)
	var line struct{ HTTP, GRPC, Admin string }
	for line.HTTP == "" { // what the last one died of comes first
		text, err := lines.ReadBytes('\n')
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &line), string(text))
	}
	s.url, s.grpc, s.admin = "http://"+line.HTTP, line.GRPC, "http://"+line.Admin
	go func() {
		text, _ := io.ReadAll(lines) // ends with the process
		s.rest <- string(text)
	}()
	return s
}

// ended waits for the process and returns its log and exit code.
func (s *server) ended(t *testing.T) (log string, code int) {
	t.Helper()
	log = <-s.rest
	_ = s.Wait() // the exit code has the error
	return log, s.ProcessState.ExitCode()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func (s *server) ready(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		code, _ := get(t, s.url+"/readyz")
		return code == http.StatusOK
	}, 20*time.Second, 10*time.Millisecond)
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestServePredictAndStop(t *testing.T) {
	keys := write(t, "tester=s3cret\n")
	configuration := write(t, "auth: {keysFile: "+keys+"}\nshutdown: {delay: 0s}\nonnxruntime: {intraOpThreads: 1}\n")
	s := serve(t, "--config", configuration, "--models", onnxtest.Iris(t))
	s.ready(t)
	key := write(t, "s3cret\n")

	out, ok := ran(t, "predict", "--url", s.url, "--key-file", key, "--data", `{"instances": [[6.8, 2.8, 4.8, 1.4]]}`)
	require.True(t, ok, out)
	assert.Contains(t, out, `{"predictions":[{"label":1,`)
	out, ok = ran(t, "predict", "--url", s.url, "--key-file", key, "--model", "iris", "--data", "@"+write(t, `{"inputs":[[5,3,1,0.2]]}`))
	require.True(t, ok, out)
	assert.Contains(t, out, `"label":[0]`)
	out, ok = ran(t, "predict", "--url", s.url, "--key-file", key, "--synthetic")
	require.True(t, ok, out)
	assert.Contains(t, out, `"model_name":"iris"`)

	for _, wrong := range [][]string{
		{"--data", `{"instances": [[1,2,3,4]]}`}, // no key
		{"--key-file", write(t, "other"), "--synthetic"},
		{"--key-file", key, "--data", `{"instances": [[1]]}`},
		{"--key-file", key, "--model", "absent", "--synthetic"},
		{"--key-file", key},
	} {
		out, ok = ran(t, append([]string{"predict", "--url", s.url}, wrong...)...)
		assert.False(t, ok, out)
	}
	code, metrics := get(t, s.admin+"/metrics")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, metrics, "slipway_requests_total")

	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	log, exit := s.ended(t)
	assert.Zero(t, exit, log)
	assert.Contains(t, log, `"key":"tester"`)
	assert.NotContains(t, log, "s3cret")
}

// TestStopFinishesRequestsInFlight checks that a request in flight at SIGTERM gets
// its response, while the server is no longer ready.
func TestStopFinishesRequestsInFlight(t *testing.T) {
	repository := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"})
	s := serve(t, "--config", write(t, "shutdown: {delay: 300ms, gracePeriod: 30s}\n"), "--models", repository)
	s.ready(t)
	response := make(chan string, 1)
	go func() { response <- post(t.Context(), s.url+"/predict", `{"inputs":[1500]}`) }()
	require.Eventually(t, func() bool {
		_, metrics := get(t, s.admin+"/metrics")
		return strings.Contains(metrics, "slipway_requests_in_flight 1")
	}, 10*time.Second, 5*time.Millisecond)

	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		code, _ := get(t, s.admin+"/readyz")
		return code == http.StatusServiceUnavailable
	}, 10*time.Second, 5*time.Millisecond)
	assert.JSONEq(t, `{"outputs":{"y":[1500]}}`, <-response)
	log, exit := s.ended(t)
	assert.Zero(t, exit, log)
}

func TestStopGivesUpAtTheEndOfTheGracePeriod(t *testing.T) {
	repository := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow"})
	s := serve(t, "--config", write(t, "shutdown: {delay: 0s, gracePeriod: 50ms}\n"), "--models", repository)
	s.ready(t)
	response := make(chan string, 1)
	go func() { response <- post(t.Context(), s.url+"/predict", `{"inputs":[5000]}`) }()
	require.Eventually(t, func() bool {
		_, metrics := get(t, s.admin+"/metrics")
		return strings.Contains(metrics, "slipway_requests_in_flight 1")
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	_, exit := s.ended(t)
	assert.Equal(t, 1, exit)
	assert.NotContains(t, <-response, "outputs")
}

func post(ctx context.Context, url, body string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err.Error()
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestValidate(t *testing.T) {
	out, ok := ran(t, "validate", "--models", onnxtest.Iris(t))
	require.True(t, ok, out)
	assert.Equal(t, "ok  iris version 1\n", out)

	broken := onnxtest.Repository(t, map[string]string{"m/1/model.onnx": "constant_1", "m/2/model.onnx": "corrupt"})
	for want, args := range map[string][]string{
		"2:1":                     {"--config", write(t, "models: /m\nmodell: x\n")},
		"http.maxBodyBytes":       {"--config", write(t, "http: {maxBodyBytes: -1}\n")},
		"absent.yaml":             {"--config", "absent.yaml"},
		"read API keys":           {"--config", write(t, "auth: {keysFile: /absent}\n")},
		`model "m": version 2`:    {"--models", broken},
		"defaultModel":            {"--models", broken, "--config", write(t, "defaultModel: other\n")},
		"no model yet":            {"--models", t.TempDir()},
		"repository.control":      {"--config", write(t, "repository: {control: never}\n")},
		"unknown flag --modells":  {"--modells", "x"},
		"unexpected argument now": {"now"},
	} {
		out, ok := ran(t, append([]string{"validate"}, args...)...)
		assert.False(t, ok, out)
		assert.Contains(t, out, want)
	}
	_, ok = ran(t, "version")
	assert.True(t, ok)
}

func TestInspect(t *testing.T) {
	repository := onnxtest.Repository(t, map[string]string{"m/1/model.onnx": "constant_1", "n/1/model.onnx": "sequence"})
	for _, model := range []string{"m", "n"} {
		settings := filepath.Join(repository, model, "config.yaml")
		require.NoError(t, os.WriteFile(settings, []byte("batching: {maxBatchSize: 8}\ninstances: {count: 3}\n"), 0o600))
	}
	out, ok := ran(t, "inspect", "--models", repository)
	require.True(t, ok, out)
	for _, part := range []string{
		"m version 1", "FP32", "[-1,1]", "3 instances: instances.count of the model", "as many as the container's processors",
		"up to 8 rows, verified", `refused: output "y"`, "slipway predict --record",
	} {
		assert.Contains(t, out, part)
	}
	out, ok = ran(t, "inspect", "--models", onnxtest.Iris(t), "iris")
	require.True(t, ok, out)
	assert.Contains(t, out, "golden.ndjson, reproduced")
	_, ok = ran(t, "inspect", "--models", repository, "absent")
	assert.False(t, ok)
}

func TestServeRefusesToStart(t *testing.T) {
	taken := serve(t, "--config", write(t, "shutdown: {delay: 0s}\n"), "--models", onnxtest.Iris(t))
	out, ok := ran(t, "serve", "--models", onnxtest.Iris(t), "--http-address", strings.TrimPrefix(taken.url, "http://"), "--grpc-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0")
	assert.False(t, ok)
	assert.Contains(t, out, "http.address")
	require.NoError(t, taken.Process.Signal(syscall.SIGTERM))
	log, exit := taken.ended(t)
	assert.Zero(t, exit, log)
}
