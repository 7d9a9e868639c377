//go:build bench

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/server/bench"
)

// The processors of a pinned pair. With one alone the two share it.
const (
	serverCore = "0"
	clientCore = "1"
	allCores   = "" // not pinned
)

// command runs a program of .build/bin on the cores named.
func command(ctx context.Context, cores, name string, args ...string) *exec.Cmd {
	all := append([]string{filepath.Join(root, ".build", "bin", name)}, args...)
	if cores != allCores {
		all = append([]string{"taskset", "--cpu-list", cores}, all...)
	}
	c := exec.CommandContext(ctx, all[0], all[1:]...)
	c.Stderr = os.Stderr
	// Ctrl-C reaches the whole group; the test ends its processes itself.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 20 * time.Second
	return c
}

// process is a server under test, ours or the empty one.
type process struct {
	http, grpc, admin string // addresses
	pid               int
}

// startSlipway serves a repository with the metrics and the access log on, the
// log in a file as it would be in a container.
func startSlipway(t *testing.T, cores, repository, settings string) *process {
	t.Helper()
	p := &process{http: freeAddress(t), grpc: freeAddress(t), admin: freeAddress(t)}
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("shutdown: {delay: 0s}\n"+settings), 0o644))
	p.start(t, command(context.Background(), cores, "slipway", "serve", "--config", config, "--models", repository,
		"--http-address", p.http, "--grpc-address", p.grpc, "--admin-address", p.admin,
		"--onnxruntime-library", library()))
	return p
}

func startEmpty(t *testing.T, cores string) *process {
	t.Helper()
	p := &process{http: freeAddress(t), grpc: freeAddress(t)}
	p.start(t, command(context.Background(), cores, "bench-empty", p.http, p.grpc))
	return p
}

// start waits until the server is ready, and stops it when the test is over.
func (p *process) start(t *testing.T, c *exec.Cmd) {
	t.Helper()
	log, err := os.CreateTemp(folder, strings.ReplaceAll(t.Name(), "/", "-")+"-*.log")
	require.NoError(t, err)
	path := log.Name()
	c.Stdout, c.Stderr = log, log
	require.NoError(t, c.Start())
	p.pid = c.Process.Pid
	exited := make(chan error, 1)
	go func() { exited <- c.Wait() }()
	t.Cleanup(func() {
		if err := c.Process.Signal(syscall.SIGTERM); err == nil {
			require.NoError(t, <-exited, "the server stops; its log is %s", path)
		}
		require.NoError(t, log.Close())
		if !t.Failed() {
			require.NoError(t, os.Remove(path), "a log of every request")
		}
	})
	require.Eventually(t, func() bool {
		select {
		case err := <-exited:
			exited <- err
			return true
		default:
		}
		return get("http://"+p.http+"/readyz") == nil
	}, 2*time.Minute, 50*time.Millisecond, "the server becomes ready; its log is %s", path)
	require.NoError(t, get("http://"+p.http+"/readyz"), "the server is ready; its log is %s", path)
}

func get(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func library() string { return filepath.Join(root, ".build", "lib", "libonnxruntime.so.1") }

// load has the generator ask p for m, and gives what it measured. Every answer
// was compared with ONNX Runtime's own.
func load(t *testing.T, p *process, cores, protocol string, m *model, args ...string) bench.Report {
	t.Helper()
	url := "http://" + p.http
	if protocol == "grpc" {
		url = p.grpc
	}
	all := append([]string{"bench", "--url", url, "--protocol", protocol, "--model", m.name, "--data", m.request,
		"--warmup", warmup.String(), "--duration", period().String(), "--json", "-"}, args...)
	if m.response != "" {
		all = append(all, "--expect", m.response)
	}
	c := command(t.Context(), cores, "slipway", all...)
	out, err := c.Output()
	require.NoError(t, err, "slipway %s", strings.Join(all, " "))
	var r bench.Report
	require.NoError(t, json.Unmarshal(out, &r))
	return r
}

// closed is one point of a closed loop, none of whose calls may fail.
func closed(t *testing.T, p *process, cores, protocol string, m *model, concurrency int) bench.Point {
	t.Helper()
	point := load(t, p, cores, protocol, m, "--concurrency", strconv.Itoa(concurrency)).Points[0]
	require.Empty(t, point.Failures, "%s over %s", m.name, protocol)
	return point
}

// bare is how many runs a second ONNX Runtime itself makes of m's question, on a
// thread each, as the server runs them.
func bare(t *testing.T, cores string, m *model, goroutines int) float64 {
	t.Helper()
	out, err := command(t.Context(), cores, "bench-bare", "--library", library(), "--model", m.file, "--data", m.request,
		"--goroutines", strconv.Itoa(goroutines), "--threads", "1",
		"--warmup", warmup.String(), "--duration", period().String()).Output()
	require.NoError(t, err)
	var result struct{ Rate float64 }
	require.NoError(t, json.Unmarshal(out, &result))
	return result.Rate
}

// inTurn measures every side once a round, so that a machine that changes its
// pace changes it for all, and gives the median of each side.
func inTurn(sides ...func() float64) []float64 {
	all := make([][]float64, len(sides))
	for range rounds() {
		for i, side := range sides {
			all[i] = append(all[i], side())
		}
	}
	medians := make([]float64, len(sides))
	for i := range all {
		medians[i] = median(all[i])
	}
	return medians
}

// residentBytes is what a process holds of the machine's memory.
func residentBytes(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			require.NoError(t, err)
			return kilobytes * 1024
		}
	}
	require.Fail(t, "no VmRSS")
	return 0
}

// besideTraffic is bare on the server's core while a client on the other asks a
// handler that does nothing, and is on that core too, as often as it asked the server.
func besideTraffic(t *testing.T, sink *process, m, nothing *model, goroutines int, rate float64) float64 {
	t.Helper()
	var traffic sync.WaitGroup
	traffic.Go(func() {
		load(t, sink, clientCore, "rest-binary", nothing, "--rate", fmt.Sprintf("%.0f", rate), "--duration", (2 * period()).String())
	})
	defer traffic.Wait()
	return bare(t, serverCore, m, goroutines)
}

// polled is what a client that never sleeps has measured.
type polled struct{ Throughput, P50, P99 float64 }

// poll has such a client ask p's m on the client's core.
func poll(t *testing.T, p *process, m *model, connections int) polled {
	t.Helper()
	out, err := command(t.Context(), clientCore, "bench-poll", p.http, "/v2/models/"+m.name+"/infer", m.request,
		strconv.Itoa(connections), warmup.String(), period().String()).Output()
	require.NoError(t, err)
	var r polled
	require.NoError(t, json.Unmarshal(out, &r))
	return r
}
