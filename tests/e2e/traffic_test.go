//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// traffic is a client that repeats a request during a change of the release, and counts the responses.
type traffic struct {
	cancel  func()
	clients sync.WaitGroup

	mu        sync.Mutex
	responses map[string]int // the successful ones, by body
	failures  []string
}

// send starts traffic: one loop for each of the endpoints, which waits for pace after each response. It ends with stop, or with the test.
func send(t *testing.T, pace time.Duration, body string, endpoints ...*endpoint) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{cancel: cancel, responses: map[string]int{}}
	t.Cleanup(tr.halt)
	for _, e := range endpoints {
		tr.clients.Go(func() {
			for ctx.Err() == nil {
				// The end of the traffic does not cancel a running request: it would count as a failure.
				tr.count(e.do(context.WithoutCancel(ctx), http.MethodPost, "/predict", body))
				select {
				case <-ctx.Done():
				case <-time.After(pace):
				}
			}
		})
	}
	return tr
}

func (tr *traffic) count(got response, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := time.Now().Format("15:04:05.000")
	switch {
	case err != nil:
		tr.failures = append(tr.failures, fmt.Sprintf("%s %v", now, err))
	case got.status != http.StatusOK:
		tr.failures = append(tr.failures, fmt.Sprintf("%s %d %s", now, got.status, got.body))
	default:
		tr.responses[got.body]++
	}
}

func (tr *traffic) halt() {
	tr.cancel()
	tr.clients.Wait()
}

// counted returns how often each response has arrived up to now.
func (tr *traffic) counted() map[string]int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return maps.Clone(tr.responses)
}

// flows waits until 20 more requests have succeeded.
func (tr *traffic) flows(t *testing.T) {
	t.Helper()
	before := total(tr.counted())
	require.Eventually(t, func() bool { return total(tr.counted()) >= before+20 }, time.Minute, 100*time.Millisecond, "the traffic has stalled")
}

// stop ends the traffic, asserts that no request failed, and returns the responses, counted by body.
func (tr *traffic) stop(t *testing.T) map[string]int {
	t.Helper()
	tr.halt()
	t.Logf("%d requests succeeded, %d failed", total(tr.responses), len(tr.failures))
	assert.Empty(t, tr.failures, "requests failed")
	return tr.responses
}

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
