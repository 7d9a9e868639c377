//go:build bench

package bench

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/server/tensor"
)

// Against ONNX Runtime itself, on the server's core with the client on another.
func TestHeavyModel(t *testing.T) {
	m := real(t, "ppocr-det", floats("x", 1, 3, 160, 160))
	p := startSlipway(t, serverCore, repository(t, "", m), "")
	const callers = 2 // twice the server's cores
	sink, nothing := startEmpty(t, clientCore), *m
	nothing.response = ""
	var binary float64
	rate := inTurn(
		func() float64 { return bare(t, serverCore, m, callers) },
		func() float64 {
			binary = closed(t, p, clientCore, "rest-binary", m, callers).Throughput
			return binary
		},
		func() float64 { return closed(t, p, clientCore, "grpc", m, callers).Throughput },
		func() float64 { return besideTraffic(t, sink, m, &nothing, callers, binary) },
	)
	for i, protocol := range []string{"binary", "gRPC"} {
		report(row{
			name: "heavy model (PP-OCR detection), " + protocol, measured: perSecond(rate[i+1]), against: "bare loop " + perSecond(rate[0]),
			ratio: rate[i+1] / rate[0], target: 0.95, note: aRun(rate[0]) + ", server and client on a core each",
		})
		report(row{
			name: "heavy model, " + protocol + ", like with like", measured: perSecond(rate[i+1]), against: "bare loop " + perSecond(rate[3]),
			ratio: rate[i+1] / rate[3], target: 0.95, note: "the bare loop too has a client on the other core, whose as many questions go to a handler that does nothing",
		})
	}
}

// The same with server and client sharing all cores: what the client takes is
// missing from the ratio.
func TestHeavyModelOnAllCores(t *testing.T) {
	m := real(t, "ppocr-det", floats("x", 1, 3, 160, 160))
	cores := runtime.NumCPU()
	p := startSlipway(t, allCores, repository(t, fmt.Sprintf("instances: {count: %d, intraOpThreads: 1}\n", cores), m), "")
	rate := inTurn(
		func() float64 { return bare(t, allCores, m, 2*cores) },
		func() float64 { return closed(t, p, allCores, "rest-binary", m, 2*cores).Throughput },
		func() float64 { return closed(t, p, allCores, "grpc", m, 2*cores).Throughput },
	)
	for i, protocol := range []string{"binary", "gRPC"} {
		report(row{
			name: "heavy model, " + protocol + ", all cores", measured: perSecond(rate[i+1]), against: "bare loop " + perSecond(rate[0]),
			ratio: rate[i+1] / rate[0], target: 0.95, note: fmt.Sprintf("%d cores shared with the client", cores),
		})
	}
}

func TestMediumModel(t *testing.T) {
	m := real(t, "silero-vad", speech())
	p := startSlipway(t, serverCore, repository(t, "", m), "")
	rate := inTurn(
		func() float64 { return bare(t, serverCore, m, 2) },
		func() float64 { return closed(t, p, clientCore, "rest-binary", m, 4).Throughput },
		func() float64 { return closed(t, p, clientCore, "grpc", m, 4).Throughput },
	)
	for i, protocol := range []string{"binary", "gRPC"} {
		report(row{
			name: "medium model (Silero VAD), " + protocol, measured: perSecond(rate[i+1]), against: "bare loop " + perSecond(rate[0]),
			ratio: rate[i+1] / rate[0], note: aRun(rate[0]),
		})
	}
}

// A body of 290 KB, nearly all of it numbers.
func TestLargeJSON(t *testing.T) {
	for _, m := range []*model{
		made(t, "dense", []int64{64, 256, 128, 1}, floats("x", 432, 64)),
		real(t, "ppocr-cls", floats("x", 1, 3, 48, 192)),
	} {
		t.Run(m.name, func(t *testing.T) {
			p := startSlipway(t, serverCore, repository(t, "", m), "")
			const callers = 4
			rate := inTurn(
				func() float64 { return bare(t, serverCore, m, callers) },
				func() float64 { return closed(t, p, clientCore, "rest-json", m, callers).Throughput },
			)
			report(row{
				name: "JSON, 27,648 floats (" + m.name + ")", measured: perSecond(rate[1]), against: "bare loop " + perSecond(rate[0]),
				ratio: rate[1] / rate[0], target: 0.5, note: aRun(rate[0]) + "; aim 0.65",
			})
		})
	}
}

// Against a handler that does nothing, where the model takes microseconds.
func TestTinyModel(t *testing.T) {
	m := iris(t)
	p, empty := startSlipway(t, serverCore, repository(t, "", m), ""), startEmpty(t, serverCore)
	nothing := *m
	nothing.response = "" // the responses of the empty handlers are wrong
	const callers = 16
	require.Empty(t, closed(t, p, clientCore, "rest-json", m, callers).Failures, "the answers are right")
	t.Run("rest-json", func(t *testing.T) {
		tiny(t, "JSON", "empty gin handler ",
			func() polled { return poll(t, empty, m, callers) },
			func() polled { return poll(t, p, m, callers) })
	})
	t.Run("grpc", func(t *testing.T) {
		ask := func(p *process, m *model) func() polled {
			return func() polled {
				point := closed(t, p, clientCore, "grpc", m, callers)
				return polled{point.Throughput, point.Latency.P50, point.Latency.P99}
			}
		}
		tiny(t, "gRPC", "empty grpc-go handler ", ask(empty, &nothing), ask(p, m))
	})
}

func tiny(t *testing.T, protocol, handler string, nothing, ours func() polled) {
	t.Helper()
	var p50, p99 []float64
	rate := inTurn(
		func() float64 { return nothing().Throughput },
		func() float64 {
			r := ours()
			p50, p99 = append(p50, r.P50), append(p99, r.P99)
			return r.Throughput
		},
	)
	report(row{
		name: "tiny model (4 floats), " + protocol, measured: perSecond(rate[1]), against: handler + perSecond(rate[0]),
		ratio: rate[1] / rate[0], target: 0.5, note: "16 connections, server and client on a core each",
	})
	report(row{
		name: "tiny model, " + protocol + ", p99 over p50", measured: milliseconds(median(p99)), against: milliseconds(median(p50)),
		ratio: median(p99) / median(p50), target: 10, atMost: true,
	})
}

func TestBatching(t *testing.T) {
	m := made(t, "ranker", []int64{512, 2048, 1024, 16}, synthetic(tensor.Spec{Name: "x", DType: tensor.FP32, Shape: []int64{1, 512}}))
	with := startSlipway(t, serverCore, repository(t, "batching: {maxBatchSize: 32}\n", m), "")
	without := startSlipway(t, serverCore, repository(t, "", m), "")
	for _, callers := range []int{64, 1} {
		rate := inTurn(
			func() float64 { return closed(t, without, clientCore, "rest-binary", m, callers).Throughput },
			func() float64 { return closed(t, with, clientCore, "rest-binary", m, callers).Throughput },
		)
		target, note := 1.5, ""
		if callers == 1 {
			target, note = 0.97, "never slower: 1 less what two equal runs differ by"
		}
		report(row{
			name: fmt.Sprintf("batching, %d clients", callers), measured: perSecond(rate[1]), against: "batching off " + perSecond(rate[0]),
			ratio: rate[1] / rate[0], target: target, note: note,
		})
	}
}

// aRun says how long one takes when so many are made a second on one core.
func aRun(rate float64) string { return milliseconds(1/rate) + " a run" }
