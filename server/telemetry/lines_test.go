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
	stuck  chan struct{} // if not nil, a write waits until it is closed
}

func (p *paper) Write(b []byte) (int, error) {
	if p.stuck != nil {
		<-p.stuck
	}
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

func TestLinesAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		lines := telemetry.NewLines(p, telemetry.FlushAfter)
		log := telemetry.NewLogger(lines, slog.LevelInfo)
		log.Info("one")
		time.Sleep(60 * time.Millisecond)
		log.Info("two")
		assert.Empty(t, p.written())
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		require.Len(t, p.written(), 1, "100 ms after the first")
		assert.Equal(t, 2, strings.Count(p.written()[0], "\n"))

		time.Sleep(time.Second)
		synctest.Wait()
		assert.Len(t, p.written(), 1, "nothing is written twice")
		log.Info("three")
		time.Sleep(110 * time.Millisecond)
		synctest.Wait()
		require.Len(t, p.written(), 2, "100 ms after the first again")

		log.Info("four")
		require.NoError(t, lines.Close())
		require.Len(t, p.written(), 3)
		assert.Contains(t, p.written()[2], "four")
		require.NoError(t, lines.Close())
	})
}

func TestManyLinesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		lines := telemetry.NewLines(p, telemetry.FlushAfter)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for range 32 {
			_, err := lines.Write(line)
			require.NoError(t, err)
		}
		synctest.Wait()
		require.Len(t, p.written(), 1)
		assert.Len(t, p.written()[0], 32<<10)
		require.NoError(t, lines.Close())
	})
}

func TestNoLineIsLostAmongMany(t *testing.T) {
	p := &paper{}
	lines := telemetry.NewLines(p, telemetry.FlushAfter)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				_, _ = lines.Write([]byte("a line of some length, whole or not at all\n"))
			}
		})
	}
	all.Wait()
	require.NoError(t, lines.Close())
	whole := strings.Join(p.written(), "")
	assert.Equal(t, strings.Repeat("a line of some length, whole or not at all\n", 8000), whole)
	assert.Zero(t, lines.Dropped())
}

// A log that nobody reads stops nobody: lines are dropped, whole, and counted.
func TestALogThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{stuck: make(chan struct{})}
		lines := telemetry.NewLines(p, telemetry.FlushAfter)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		for range 100 { // the first piece is stuck
			_, _ = lines.Write(line)
		}
		synctest.Wait()
		for range 2000 {
			_, err := lines.Write(line)
			require.NoError(t, err)
		}
		assert.Positive(t, lines.Dropped())
		require.ErrorContains(t, lines.Close(), "takes no lines")

		close(p.stuck) // it is read after all
		synctest.Wait()
		require.NoError(t, lines.Close())
		assert.Equal(t, 2100*1024, len(strings.Join(p.written(), ""))+int(lines.Dropped())*1024)
	})
}

func TestALogThatIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{err: errors.New("broken pipe")}
		lines := telemetry.NewLines(p, telemetry.FlushAfter)
		for range 3 {
			_, err := lines.Write([]byte("line\n"))
			require.NoError(t, err)
		}
		require.NoError(t, lines.Close())
		assert.Equal(t, int64(3), lines.Dropped())
	})
}
