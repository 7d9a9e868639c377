//go:build bench

package bench

import (
	"path/filepath"
	"testing"
)

// The plots beside the table: throughput and latency against the load.
func TestPlots(t *testing.T) {
	if *quick {
		t.Skip("no plots in a quick run")
	}
	tiny, heavy := iris(t), real(t, "ppocr-det", floats("x", 1, 3, 160, 160))
	p := startSlipway(t, serverCore, repository(t, "", tiny, heavy), "")
	for _, m := range []*model{tiny, heavy} {
		for _, protocol := range []string{"rest-json", "rest-binary", "grpc"} {
			load(t, p, clientCore, protocol, m, "--concurrency", "1,2,4,8,16,32", "--duration", "1s", "--warmup", "200ms",
				"--plot", filepath.Join(folder, m.name+"-"+protocol+".svg"))
		}
	}
}
