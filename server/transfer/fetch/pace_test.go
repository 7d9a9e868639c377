package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

// slow is a source of one object, of which each connection brings burst bytes at once,
// then chunk bytes at a time, and then fails or hangs.
type slow struct {
	size               int64
	burst, chunk, most int // bytes of a connection
	every              time.Duration
	end                error // nil: it hangs
	hangs              bool  // instead of a response
}

func (s *slow) List(context.Context) ([]source.Object, error) { return nil, nil }
func (s *slow) Single() bool                                  { return true }
func (s *slow) Close() error                                  { return nil }

func (s *slow) Open(ctx context.Context, _ source.Object, offset int64) (io.ReadCloser, int64, error) {
	if s.hangs {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	return &slowBody{ctx: ctx, slow: s, left: s.size - offset}, offset, nil
}

type slowBody struct {
	ctx  context.Context
	slow *slow
	left int64
	read int
}

func (b *slowBody) Close() error { return nil }

func (b *slowBody) Read(p []byte) (int, error) {
	switch {
	case b.left == 0:
		return 0, io.EOF
	case b.slow.most > 0 && b.read >= b.slow.most && b.slow.end != nil:
		return 0, b.slow.end
	case b.slow.most > 0 && b.read >= b.slow.most:
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	}
	n := b.slow.chunk
	if b.read < b.slow.burst {
		n = b.slow.burst - b.read
	} else {
		select {
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		case <-time.After(b.slow.every):
		}
	}
	n = int(min(int64(n), int64(len(p)), b.left))
	b.read += n
	b.left -= int64(n)
	return copy(p, bytes.Repeat([]byte("x"), n)), nil
}

// TestPace counts the time of a bubble, so that no test waits.
func TestPace(t *testing.T) {
	const window, pauses = 30 * time.Second, 11 * time.Second
	for name, test := range map[string]struct {
		source      *slow
		problem     string
		least, most time.Duration
	}{
		"drips":                    {source: &slow{size: 1 << 20, chunk: 1, every: time.Second - time.Millisecond}, problem: "gave up after 4 tries: the source is too slow: 30 bytes came in 30s, and 1024 a second are the least", least: 4 * window, most: 4*window + pauses},
		"is silent":                {source: &slow{size: 1 << 20, hangs: true}, problem: "0 bytes came in 30s", least: 4 * window, most: 4*window + pauses},
		"begins and is silent":     {source: &slow{size: 1 << 20, burst: 100, most: 100}, problem: "0 bytes came in 30s", least: 4 * window, most: 5*window + pauses},
		"is slow and fast enough":  {source: &slow{size: 200 << 10, chunk: 2 << 10, every: time.Second}, least: 100 * time.Second, most: 101 * time.Second},
		"hangs after a good while": {source: &slow{size: 6 << 20, burst: 1 << 20, most: 1 << 20}, least: 5 * window, most: 10*window + pauses},
		"a byte each time":         {source: &slow{size: 1 << 20, burst: 1, most: 1, end: io.ErrUnexpectedEOF}, problem: "gave up after 1000 tries", least: time.Minute, most: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				folder, err := transfer.OpenFolder(t.TempDir())
				require.NoError(t, err)
				log := slog.New(slog.DiscardHandler)
				j := &job{Options: Options{Stall: window, Retries: 3, Backoff: time.Second, Log: log}, source: test.source, folder: folder}
				require.NoError(t, folder.MkdirAll(partsFolder))
				j.space, err = newSpace(folder, 1<<30)
				require.NoError(t, err)
				j.meter = transfer.StartMeter(transfer.Work{Log: log})
				defer j.meter.Stop()
				started := time.Now()
				_, err = j.download(t.Context(), source.Object{Name: "a.onnx", Size: test.source.size, Tag: "1"})
				if test.problem == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, test.problem)
				}
				assert.GreaterOrEqual(t, time.Since(started), test.least)
				assert.LessOrEqual(t, time.Since(started), test.most)
				require.NoError(t, folder.Close())
			})
		})
	}
}

// TestPaceOfTheCaller ends a read that is not too slow: the caller's reason is the error.
func TestPaceOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stopped) })
		err := paced(ctx, time.Minute, func(ctx context.Context, _ func(int)) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		require.ErrorIs(t, err, stopped)
	})
}
