package fetch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer/source"
)

// TestRetryPauses counts the time of a bubble, so that no test waits.
func TestRetryPauses(t *testing.T) {
	busy := func(after time.Duration) error {
		return &source.StatusError{Code: http.StatusServiceUnavailable, After: after}
	}
	for name, test := range map[string]struct {
		tries         []error // of each try; the last one repeats
		calls         int
		least, most   time.Duration
		problem       string
		advanceAlways bool
	}{
		"at once":                    {tries: []error{nil}, calls: 1},
		"twice":                      {tries: []error{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, nil}, calls: 3, least: 1500 * time.Millisecond, most: 4500 * time.Millisecond},
		"given up":                   {tries: []error{io.ErrUnexpectedEOF}, calls: 4, least: 3500 * time.Millisecond, most: 10500 * time.Millisecond, problem: "gave up after 4 tries: unexpected EOF"},
		"Retry-After":                {tries: []error{busy(time.Minute), nil}, calls: 2, least: time.Minute, most: time.Minute},
		"no longer than two minutes": {tries: []error{busy(time.Hour), nil}, calls: 2, least: 2 * time.Minute, most: 2 * time.Minute},
		"Retry-After each time":      {tries: []error{busy(time.Minute)}, calls: 4, least: 3 * time.Minute, most: 3 * time.Minute, problem: "gave up after 4 tries"},
		"permanent":                  {tries: []error{source.Permanent(errors.New("wrong"))}, calls: 1, problem: "wrong"},
		"permanent in the end":       {tries: []error{io.ErrUnexpectedEOF, source.Permanent(errors.New("wrong"))}, calls: 2, least: time.Second / 2, most: 3 * time.Second / 2, problem: "wrong"},
		"progress each time":         {tries: []error{io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF, nil}, advanceAlways: true, calls: 6, least: 5 * time.Second / 2, most: 15 * time.Second / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				started, calls := time.Now(), 0
				err := retry(t.Context(), Options{Retries: 3, Backoff: time.Second, Log: slog.New(slog.DiscardHandler)}, func() (bool, error) {
					calls++
					return test.advanceAlways, test.tries[min(calls, len(test.tries))-1]
				})
				if test.problem != "" {
					require.ErrorContains(t, err, test.problem)
				} else {
					require.NoError(t, err)
				}
				assert.Equal(t, test.calls, calls)
				assert.GreaterOrEqual(t, time.Since(started), test.least)
				assert.LessOrEqual(t, time.Since(started), test.most)
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		started := time.Now()
		err := retry(ctx, Options{Retries: 100, Backoff: time.Hour, Log: slog.New(slog.DiscardHandler)}, func() (bool, error) { return false, io.ErrUnexpectedEOF })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(started))
	})
}
