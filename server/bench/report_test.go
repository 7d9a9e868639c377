package bench_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/bench"
)

func sample() *bench.Report {
	return &bench.Report{URL: "http://h:1", Protocol: bench.RESTJSON, Model: "m", Points: []bench.Point{
		{
			Concurrency: 8, Seconds: 10, Requests: 1200, Responses: 1000, Throughput: 100,
			Latency: bench.Latency{Mean: .0101, P50: .0099, P90: .0123456, P99: .02, P999: .5, Max: 1.25},
			Failures: map[string]bench.Failure{
				"timeout": {Count: 50, Example: "took 10 s"}, "429": {Count: 150, Example: "overloaded"},
			},
		},
		{Rate: 250.5, Seconds: 10, Requests: 2505, Responses: 2505, Throughput: 250.5, Lag: 0.02},
	}}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteTable(&out))
	assert.Equal(t, `load     responses/s  mean    p50    p90     p99   p99.9  max    failures               
8        100.0        10.1ms  9.9ms  12.3ms  20ms  500ms  1.25s  429: 150, timeout: 50  
250.5/s  250.5        0s      0s     0s      0s    0s     0s                            
429: overloaded
timeout: took 10 s
at 250.5/s the generator itself sent late, by 20ms at p99: give it more of the machine
`, out.String())
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteCSV(&out))
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, [][]string{
		{"protocol", "model", "concurrency", "rate", "seconds", "asked", "answered", "throughput", "mean", "p50", "p90", "p99", "p99.9", "max", "failures"},
		{"rest-json", "m", "8", "0", "10", "1200", "1000", "100", "0.0101", "0.0099", "0.0123456", "0.02", "0.5", "1.25", "429: 150, timeout: 50"},
		{"rest-json", "m", "0", "250.5", "10", "2505", "2505", "250.5", "0", "0", "0", "0", "0", "0", ""},
	}, lines)
}

func TestJSONComesBack(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().WriteJSON(&out))
	assert.Contains(t, out.String(), `"p99.9": 0.5`)
	var again bench.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &again))
	assert.Equal(t, sample(), &again)
}

func TestPlots(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, sample().WritePlot(filepath.Join(dir, "p.png"), "png"))
	file, err := os.Open(filepath.Join(dir, "p.png"))
	require.NoError(t, err)
	defer file.Close()
	picture, err := png.Decode(file)
	require.NoError(t, err)
	assert.Greater(t, picture.Bounds().Dy(), 500)

	require.NoError(t, sample().WritePlot(filepath.Join(dir, "p.svg"), "svg"))
	text, err := os.ReadFile(filepath.Join(dir, "p.svg"))
	require.NoError(t, err)
	for _, want := range []string{"</svg>", "p99.9", "m over rest-json", "responses per second"} {
		assert.Contains(t, string(text), want)
	}
	assert.ErrorContains(t, sample().WritePlot(filepath.Join(dir, "none", "p.svg"), "svg"), "plot")
}
