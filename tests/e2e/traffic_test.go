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

// traffic is a client that asks for the same prediction over and over, while something is done to the release, and counts the answers.
type traffic struct {
	stopped func()
	clients sync.WaitGroup

	mu       sync.Mutex
	answers  map[string]int // good ones, by body
	failures []string
}

// send starts traffic: one loop for each of the endpoints, which waits for pace after each answer. It ends with stop, or with the test.
func send(t *testing.T, pace time.Duration, body string, endpoints ...*endpoint) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &traffic{stopped: cancel, answers: map[string]int{}}
	t.Cleanup(tr.halt)
	for _, e := range endpoints {
		tr.clients.Go(func() {
			for ctx.Err() == nil {
				// A request that is under way is not cut short by the end of the traffic: it would count as a failure.
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

func (tr *traffic) count(a answer, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	now := time.Now().Format("15:04:05.000")
	switch {
	case err != nil:
		tr.failures = append(tr.failures, fmt.Sprintf("%s %v", now, err))
	case a.status != http.StatusOK:
		tr.failures = append(tr.failures, fmt.Sprintf("%s %d %s", now, a.status, a.body))
	default:
		tr.answers[a.body]++
	}
}

func (tr *traffic) halt() {
	tr.stopped()
	tr.clients.Wait()
}

// counted is how often each answer has come up to now.
func (tr *traffic) counted() map[string]int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return maps.Clone(tr.answers)
}

// flows waits until more requests of this traffic were answered.
func (tr *traffic) flows(t *testing.T) {
	t.Helper()
	before := total(tr.counted())
	require.Eventually(t, func() bool { return total(tr.counted()) >= before+20 }, time.Minute, 100*time.Millisecond, "the traffic has stalled")
}

// stop ends the traffic, asserts that not one request failed, and returns the answers.
func (tr *traffic) stop(t *testing.T) map[string]int {
	t.Helper()
	tr.halt()
	t.Logf("%d requests were answered, %d failed", total(tr.answers), len(tr.failures))
	assert.Empty(t, tr.failures, "requests failed")
	return tr.answers
}

func total(answers map[string]int) (n int) {
	for _, count := range answers {
		n += count
	}
	return n
}
