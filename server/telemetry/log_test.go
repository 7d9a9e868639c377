package telemetry_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/telemetry"
)

// paper has what was written to it, each piece by itself.
type paper struct {
	mu     sync.Mutex
	pieces []string
	err    error
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pieces = append(p.pieces, string(b))
	return len(b), p.err
}

func (p *paper) written() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pieces
}

func TestLinesAreHandedOnTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		lines := telemetry.NewLines(p)
		log := telemetry.NewLogger(lines, slog.LevelInfo)
		log.Info("one")
		time.Sleep(60 * time.Millisecond)
		log.Info("two")
		assert.Empty(t, p.written())
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		require.Len(t, p.written(), 1, "100 ms after the first")
		assert.Equal(t, 2, strings.Count(p.written()[0], "\n"))

		log.Info("three")
		require.NoError(t, lines.Flush())
		require.Len(t, p.written(), 2)
		assert.Contains(t, p.written()[1], "three")
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, p.written(), 2, "nothing is handed on twice, nor nothing")

		log.Info("four")
		time.Sleep(110 * time.Millisecond)
		synctest.Wait()
		assert.Len(t, p.written(), 3, "100 ms after the first again")
	})
}

func TestManyLinesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{err: errors.New("full")}
		lines := telemetry.NewLines(p)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		var failed error
		for range 32 {
			require.NoError(t, failed)
			_, failed = lines.Write(line)
		}
		require.EqualError(t, failed, "full")
		require.Len(t, p.written(), 1)
		assert.Len(t, p.written()[0], 32<<10)
		require.NoError(t, lines.Flush())
	})
}

func TestNoLineIsLostAmongMany(t *testing.T) {
	p := &paper{}
	lines := telemetry.NewLines(p)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				_, _ = lines.Write([]byte("a line of some length, whole or not at all\n"))
			}
		})
	}
	all.Wait()
	require.NoError(t, lines.Flush())
	whole := strings.Join(p.written(), "")
	assert.Equal(t, strings.Repeat("a line of some length, whole or not at all\n", 8000), whole)
}
