package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/config"
	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
)

func TestMain(m *testing.M) { onnxtest.Main(m) }

// syncBuffer is a log that a test reads while the server writes it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func options(models string, log io.Writer) Options {
	c := config.Default()
	c.Models = models
	c.HTTP.Address, c.GRPC.Address, c.Admin.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Shutdown = config.Shutdown{GracePeriod: 10 * time.Second}
	return Options{Config: c, Serving: serving.Options{Folder: models, Processors: 1, IntraOpThreads: 1}, Log: log}
}

func (a *App) url(t *testing.T, name string) string {
	t.Helper()
	for _, l := range a.listeners {
		if l.name == name {
			return "http://" + l.socket.Addr().String()
		}
	}
	t.Fatalf("no listener %q", name)
	return ""
}

func status(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// TestServersAreValues starts two servers in one process, each on its own ports.
func TestServersAreValues(t *testing.T) {
	log := &syncBuffer{}
	var servers []*App
	for range 2 {
		a, err := New(t.Context(), options(onnxtest.Iris(t), log))
		require.NoError(t, err)
		a.Start()
		servers = append(servers, a)
	}
	for _, a := range servers {
		for _, name := range []string{"http", "admin"} {
			require.Eventually(t, func() bool { return status(t, a.url(t, name)+"/readyz") == http.StatusOK }, 20*time.Second, 5*time.Millisecond, log)
		}
	}
	for _, a := range servers {
		require.NoError(t, a.Stop())
		assert.Zero(t, status(t, a.url(t, "http")+"/healthz"), "a stopped server listens no longer")
	}
}

// slowModel is a repository of which one model takes minutes to reproduce its golden
// answer.
func slowModel(t *testing.T) string {
	t.Helper()
	folder := onnxtest.Repository(t, map[string]string{"slow/1/model.onnx": "slow", "iris/1/model.onnx": "constant_1"})
	golden := `{"request":{"inputs":[{"name":"n","datatype":"INT64","shape":[1],"data":[1000000]}]},` +
		`"response":{"model_name":"slow","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[1000000]}]}}`
	require.NoError(t, os.WriteFile(filepath.Join(folder, "slow", "1", "golden.ndjson"), []byte(golden), 0o600))
	return folder
}

// TestReadyWhileASlowModelLoads checks that what is required makes the server ready, and
// that the index tells what is still being loaded.
func TestReadyWhileASlowModelLoads(t *testing.T) {
	log := &syncBuffer{}
	o := options(slowModel(t), log)
	o.Serving.Processors, o.Serving.Required = 2, []string{"iris"}
	a, err := New(t.Context(), o)
	require.NoError(t, err)
	a.Start()
	require.Eventually(t, func() bool { return status(t, a.url(t, "http")+"/readyz") == http.StatusOK }, 20*time.Second, 5*time.Millisecond, log)
	assert.Equal(t, http.StatusOK, status(t, a.url(t, "http")+"/v2/models/iris/ready"))
	assert.Equal(t, http.StatusServiceUnavailable, status(t, a.url(t, "http")+"/v2/models/slow/ready"))
	assert.Contains(t, a.catalog.Index(), serving.IndexEntry{Name: "slow", Version: "1", State: serving.StateLoading})
	require.NoError(t, a.Stop())
}

// TestFailedListenerEndsTheServerWhileItLoads checks that the server notices a
// failed listener while it loads models, not afterwards.
func TestFailedListenerEndsTheServerWhileItLoads(t *testing.T) {
	log := &syncBuffer{}
	a, err := New(t.Context(), options(slowModel(t), log))
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	admin := a.url(t, "admin")
	require.Eventually(t, func() bool { return status(t, admin+"/readyz") == http.StatusServiceUnavailable }, 10*time.Second, 5*time.Millisecond, log)
	for _, l := range a.listeners {
		if l.name == "http" {
			require.NoError(t, l.socket.Close())
		}
	}
	select {
	case err := <-ended:
		assert.ErrorContains(t, err, "http listener")
		assert.ErrorIs(t, err, net.ErrClosed)
	case <-time.After(20 * time.Second):
		t.Fatal("the server continues without its listener: ", log)
	}
}

// TestStopWhileLoading checks that a server that is stopped while it loads does
// not wait for the load.
func TestStopWhileLoading(t *testing.T) {
	a, err := New(t.Context(), options(slowModel(t), io.Discard))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	http := a.url(t, "http")
	require.Eventually(t, func() bool { return status(t, http+"/healthz") == 200 }, 10*time.Second, 5*time.Millisecond)
	stop()
	require.NoError(t, <-ended)
}

func TestNewClosesItsListenersWhenItFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	o := options(onnxtest.Iris(t), io.Discard)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o.Config.HTTP.Address = free.Addr().String()
	require.NoError(t, free.Close())
	o.Config.GRPC.Address = taken.Addr().String()
	_, err = New(t.Context(), o)
	require.ErrorContains(t, err, "grpc.address")
	again, err := net.Listen("tcp", o.Config.HTTP.Address)
	require.NoError(t, err, "the HTTP listener that was opened before is closed again")
	require.NoError(t, again.Close())

	o = options(onnxtest.Iris(t), io.Discard)
	o.Config.Auth.KeysFile = "/absent"
	_, err = New(t.Context(), o)
	assert.ErrorContains(t, err, "read API keys")
}

func TestUnreadableRepositoryEndsTheServer(t *testing.T) {
	for _, control := range []config.Control{config.ControlPoll, config.ControlNone, config.ControlExplicit} {
		o := options(filepath.Join(t.TempDir(), "absent"), io.Discard)
		o.Config.Repository.Control = control
		a, err := New(t.Context(), o)
		require.NoError(t, err)
		assert.ErrorContains(t, a.Run(t.Context()), "absent", control)
	}
}

func TestStackUnwindsTheLatestFirst(t *testing.T) {
	var s stack
	var order []string
	step := func(name string, err error) {
		s.push(func(context.Context) error {
			order = append(order, name)
			return err
		})
	}
	step("first", errors.New("one"))
	step("second", nil)
	step("third", errors.New("three"))
	err := s.unwind(t.Context())
	assert.Equal(t, "third second first", strings.Join(order, " "))
	assert.EqualError(t, err, "three\none")
	assert.NoError(t, s.unwind(t.Context()), "each step runs once")
}

func TestOpenAdministrationIsWarnedOf(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(keys, []byte("one="+strings.Repeat("k", 32)+"\n"), 0o600))
	for _, c := range []struct {
		address, keys string
		warned        bool
	}{
		{"127.0.0.1:0", "", false},
		{"localhost:0", "", false},
		{":0", "", true},
		{"0.0.0.0:0", "", true},
		{":0", keys, false},
	} {
		log := &syncBuffer{}
		o := options(onnxtest.Iris(t), log)
		o.Config.Admin.Address, o.Config.Auth.KeysFile = c.address, c.keys
		a, err := New(t.Context(), o)
		require.NoError(t, err)
		a.Start()
		require.NoError(t, a.Stop())
		assert.Equal(t, c.warned, strings.Contains(log.String(), "administration needs no API key"), "%+v %s", c, log)
	}
}
