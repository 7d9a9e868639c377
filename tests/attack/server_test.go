package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/server/onnx/onnxtest"
)

// grace is how long the server waits for its clients when it stops.
const grace = 20 * time.Second

// limit is the memory of the chart's container.
const limit = 1 << 30

const key = "0123456789abcdef0123456789abcdef"

// server is the binary, in a control group of its own if one can be made.
type server struct {
	http, grpc, admin string // addresses
	key               string // empty: it asks for none
	pid               int
	exited            chan struct{}
	exit              error // set when exited is closed
	log               *output
	open              []net.Conn // of clients that do nothing
	group             string     // folder of the control group, or empty
}

// output keeps what the server logs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var build = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "slipway-attack")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "slipway")
	out, err := exec.Command("go", "build", "-o", path, "slipway/server").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// start serves the models fill, identity and words.
func start(t *testing.T, withKeys bool) *server {
	t.Helper()
	program, err := build()
	require.NoError(t, err)
	library, err := onnxtest.Library()
	require.NoError(t, err)
	models := onnxtest.Repository(t, map[string]string{
		"fill/1/model.onnx": "fill", "identity/1/model.onnx": "identity_fp32", "words/1/model.onnx": "identity_bytes",
	})
	folder := t.TempDir()
	settings := "shutdown: {delay: 0s, gracePeriod: " + grace.String() + "}\nonnxruntime: {library: " + library + "}\n" +
		"http: {address: '127.0.0.1:0'}\ngrpc: {address: '127.0.0.1:0'}\nadmin: {address: '127.0.0.1:0'}\n"
	s := &server{log: &output{}, exited: make(chan struct{})}
	if withKeys {
		s.key = key
		keys := filepath.Join(folder, "keys.yaml")
		require.NoError(t, os.WriteFile(keys, []byte("good="+key+"\n"), 0o600))
		settings += "auth: {keysFile: " + keys + "}\n"
	}
	if s.group, err = newGroup(t); err != nil {
		t.Logf("no control group (%v): the server is given its limit in its configuration", err)
		settings += fmt.Sprintf("memory: {limit: %d}\n", limit)
	}
	config := filepath.Join(folder, "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte(settings), 0o600))
	join := ":"
	if s.group != "" {
		join = "echo $$ > " + filepath.Join(s.group, "cgroup.procs")
	}
	c := exec.Command("sh", "-c", join+` && exec "$0" "$@"`, program, "serve", "--config", config, "--models", models)
	c.Stdout, c.Stderr = s.log, s.log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, c.Start())
	s.pid = c.Process.Pid
	go func() {
		s.exit = c.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() {
		for _, c := range s.open {
			_ = c.Close()
		}
		if !s.ended() {
			_ = c.Process.Signal(syscall.SIGTERM)
		}
		<-s.exited
		require.NoError(t, s.exit, "the server stops by itself")
	})
	require.Eventually(t, func() bool { return s.ended() || s.listens() }, time.Minute, 20*time.Millisecond)
	require.Eventually(t, func() bool { return s.ended() || s.ready() }, time.Minute, 20*time.Millisecond)
	require.False(t, s.ended(), s.log.String())
	return s
}

var addresses = regexp.MustCompile(`"http":"([^"]+)","admin":"([^"]+)","grpc":"([^"]+)"`)

func (s *server) listens() bool {
	found := addresses.FindStringSubmatch(s.log.String())
	if found == nil {
		return false
	}
	s.http, s.admin, s.grpc = found[1], found[2], found[3]
	return true
}

func (s *server) ready() bool {
	r, err := http.Get("http://" + s.http + "/readyz")
	if err != nil {
		return false
	}
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

func (s *server) ended() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// resident and peak are the process's memory, now and at most, in bytes.
func (s *server) resident(t *testing.T) int64 { return s.status(t, "VmRSS") }
func (s *server) peak(t *testing.T) int64     { return s.status(t, "VmHWM") }

func (s *server) status(t *testing.T, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	require.NoError(t, err, "the server lives: %s", s.log)
	_, after, _ := strings.Cut(string(text), field+":")
	number, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	require.NoError(t, err)
	return kilobytes << 10
}

// newGroup makes a control group with the limit, of either version, in the one that
// the test runs in.
func newGroup(t *testing.T) (folder string, err error) {
	t.Helper()
	lines, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	var parent string
	var limits map[string]string
	for line := range strings.Lines(string(lines)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if parts[1] == "memory" {
			parent = filepath.Join("/sys/fs/cgroup/memory", parts[2])
			limits = map[string]string{"memory.limit_in_bytes": strconv.Itoa(limit), "memory.swappiness": "0"}
			break
		}
		if parts[1] == "" {
			parent = filepath.Join("/sys/fs/cgroup", parts[2])
			limits = map[string]string{"memory.max": strconv.Itoa(limit), "memory.swap.max": "0"}
		}
	}
	folder = filepath.Join(parent, fmt.Sprintf("slipway-attack-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	for name, value := range limits {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(value), 0o600); err != nil {
			return "", errors.Join(err, os.Remove(folder))
		}
	}
	return folder, nil
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}
