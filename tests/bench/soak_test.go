//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/server/bench"
)

// A model of 10 MB is replaced again and again under load: no answer fails or
// is wrong, and the memory is what it was.
func TestSoak(t *testing.T) {
	m := real(t, "ppocr-rec", floats("x", 1, 3, 48, 40))
	reloads := 500
	if *quick {
		reloads = 50
	}
	models := repository(t, "", m)
	p := startSlipway(t, serverCore, models, "repository: {control: explicit, load: [ppocr-rec]}\n")
	stop := startLoad(t, p, m)
	began := time.Now()
	var early float64
	for i := range reloads {
		reload(t, p, models, m, i+2)
		if i+1 == 5 {
			early = steady(t, p)
		}
	}
	took := time.Since(began)
	late := steady(t, p)
	point := stop()
	report(row{
		name: fmt.Sprintf("memory after %d reloads of 10 MB", reloads), measured: megabytes(late), against: "after 5 " + megabytes(early),
		ratio: late / early, target: 1.3, atMost: true,
		note: fmt.Sprintf("%s a reload, %d answers and %d failures meanwhile", (took / time.Duration(reloads)).Round(time.Millisecond), point.Responses, point.Requests-point.Responses),
	})
	require.Empty(t, point.Failures, "no answer fails while versions come and go")
}

// reload makes version the only one there is, and has the server take it up.
func reload(t *testing.T, p *process, models string, m *model, version int) {
	t.Helper()
	put(t, models, m, version)
	require.NoError(t, os.RemoveAll(filepath.Join(models, m.name, number(version-1))))
	response, err := http.Post("http://"+p.admin+"/v2/repository/models/"+m.name+"/load", "application/json", strings.NewReader("{}"))
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusOK, response.StatusCode, "load version %d", version)
}

// steady is the memory under load, at the median of two seconds.
func steady(t *testing.T, p *process) float64 {
	t.Helper()
	var all []float64
	for range 20 {
		time.Sleep(100 * time.Millisecond)
		all = append(all, residentBytes(t, p.pid))
	}
	return median(all)
}

func megabytes(bytes float64) string { return fmt.Sprintf("%.0f MB", bytes/1e6) }

// startLoad has two callers ask until stop.
func startLoad(t *testing.T, p *process, m *model) (stop func() bench.Point) {
	t.Helper()
	var out strings.Builder
	c := command(t.Context(), clientCore, "slipway", "bench", "--url", "http://"+p.http, "--protocol", "rest-binary",
		"--model", m.name, "--data", m.request, "--expect", m.response, "--concurrency", "2",
		"--warmup", "0s", "--duration", "1h", "--timeout", "1m", "--json", "-")
	c.Stdout = &out
	require.NoError(t, c.Start())
	return func() bench.Point {
		t.Helper()
		require.NoError(t, c.Process.Signal(os.Interrupt))
		require.NoError(t, c.Wait())
		var r bench.Report
		require.NoError(t, json.Unmarshal([]byte(out.String()), &r))
		require.Len(t, r.Points, 1)
		return r.Points[0]
	}
}
