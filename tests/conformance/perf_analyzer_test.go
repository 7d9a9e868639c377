//go:build conformance

package conformance

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPerfAnalyzer runs perf_analyzer, which reads the metadata, the configuration
// and the statistics before it measures. It fails if a single request fails.
func TestPerfAnalyzer(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("Triton publishes perf_analyzer for Linux on x86-64 only")
	}
	s := serve(t, testModels(t), "")
	s.ready(t)
	for name, args := range map[string][]string{
		"http":              {"-i", "http", "-m", "add_sub", "--shape", "INPUT0:1,16", "--shape", "INPUT1:1,16"},
		"http json":         {"-i", "http", "-m", "add_sub", "--shape", "INPUT0:1,16", "--shape", "INPUT1:1,16", "--input-tensor-format", "json", "--output-tensor-format", "json"},
		"http asynchronous": {"-i", "http", "-m", "batched", "--shape", "x:4", "-b", "2", "--async"},
		"grpc":              {"-i", "grpc", "-m", "add_sub", "--shape", "INPUT0:1,16", "--shape", "INPUT1:1,16"},
		"grpc streaming":    {"-i", "grpc", "-m", "add_sub", "--shape", "INPUT0:1,16", "--shape", "INPUT1:1,16", "--streaming", "--async"},
		"grpc batch":        {"-i", "grpc", "-m", "batched", "--shape", "x:4", "-b", "2"},
		"words":             {"-i", "grpc", "-m", "identity_bytes", "--shape", "x:2,3"},
		"static shape":      {"-i", "http", "-m", "static_batch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := s.HTTP
			if slices.Contains(args, "grpc") {
				address = s.GRPC
			}
			for _, throughput := range analyze(t, append(args, "-u", address)) {
				assert.Positive(t, throughput)
			}
		})
	}
}

// analyze measures with one to four concurrent requests, and returns the responses
// per second of each.
func analyze(t *testing.T, args []string) []float64 {
	t.Helper()
	home, err := filepath.Abs(build + "/perf_analyzer")
	require.NoError(t, err)
	report := filepath.Join(t.TempDir(), "report.csv")
	// Half a second measures nothing precisely, and a busy machine is not stable: only a window without a response fails.
	args = append(args, "--concurrency-range", "1:4", "--measurement-interval", "500", "--stability-percentage", "1000000", "-f", report)
	command := exec.CommandContext(t.Context(), home+"/bin/perf_analyzer", args...)
	command.Env = append(os.Environ(), "LD_LIBRARY_PATH="+home+"/nvidia/cuda_runtime/lib")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, word := range []string{"error", "failed", "WARNING"} {
		assert.NotContains(t, strings.ToLower(string(out)), strings.ToLower(word))
	}
	file, err := os.Open(report)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+4, "%s", out)
	column := slices.Index(rows[0], "Inferences/Second")
	require.GreaterOrEqual(t, column, 0)
	var all []float64
	for _, row := range rows[1:] {
		throughput, err := strconv.ParseFloat(row[column], 64)
		require.NoError(t, err)
		all = append(all, throughput)
	}
	return all
}
