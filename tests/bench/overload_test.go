//go:build bench

package bench

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Twice of what the server can do, in an open loop and with a deadline: what is
// accepted is answered in time, and the rest is refused at once.
func TestOverload(t *testing.T) {
	m := real(t, "ppocr-cls", floats("x", 1, 3, 48, 192))
	p := startSlipway(t, serverCore, repository(t, "", m), "")
	const deadline = 200 * time.Millisecond
	best := 0.0
	for _, callers := range []int{2, 4, 8} {
		best = max(best, closed(t, p, clientCore, "rest-binary", m, callers).Throughput)
	}
	duration := 30 * time.Second
	if *quick {
		duration = 5 * time.Second
	}
	point := load(t, p, clientCore, "rest-binary", m, "--rate", fmt.Sprintf("%.0f", 2*best), "--arrivals", "poisson",
		"--deadline", deadline.String(), "--timeout", "5s", "--duration", duration.String()).Points[0]

	report(row{
		name: "twice the sustainable load: goodput", measured: perSecond(point.Throughput), against: "best " + perSecond(best),
		ratio: point.Throughput / best, target: 0.9, note: fmt.Sprintf("%.0f asked a second for %s", 2*best, duration),
	})
	report(row{
		name: "twice the sustainable load: p99 of accepted", measured: milliseconds(point.Latency.P99), against: "deadline " + deadline.String(),
		ratio: point.Latency.P99 / deadline.Seconds(), target: 1, atMost: true,
	})
	refused := point.Failures["429"]
	report(row{
		name: "twice the sustainable load: p99 of 429", measured: milliseconds(refused.Latency.P99), against: "deadline " + deadline.String(),
		ratio: refused.Latency.P99 / deadline.Seconds(), target: 0.25, atMost: true,
		note: fmt.Sprintf("p50 %s; %d of %d refused", milliseconds(refused.Latency.P50), refused.Count, point.Requests),
	})
	require.NotZero(t, refused.Count, "twice of what it can do is refused in part")
	// A request that was taken in the belief that it would be in time may be late all the same, one in a hundred.
	late := point.Failures["504"].Count
	report(row{
		name: "twice the sustainable load: accepted and late", measured: strconv.FormatUint(late, 10), against: fmt.Sprintf("%d accepted", point.Requests-refused.Count),
		ratio: float64(late) / float64(point.Requests-refused.Count), target: 0.01, atMost: true,
	})
	delete(point.Failures, "429")
	delete(point.Failures, "504")
	require.Empty(t, point.Failures, "what is refused is refused with 429")
	require.Zero(t, point.Unsent)
}
