package transfer_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/transfer"
)

func TestTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := transfer.StartMeter(transfer.Work{
			Verb: "fetch", Message: "fetching", Subject: []slog.Attr{slog.String("source", "s3://models")}, Total: 30_000_000,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		m.Skip(5_000_000)
		m.Add(20_000_000)
		time.Sleep(6 * time.Second)
		m.Stop()
		assert.Contains(t, log.String(), `msg=fetching source=s3://models bytes=25000000 of=30000000 megabytes_per_second=4`)
		assert.Equal(t, int64(20_000_000), m.Moved())
		assert.Equal(t, 1, strings.Count(log.String(), "\n"))
	})
}

func TestTheBar(t *testing.T) {
	var terminal bytes.Buffer
	m := transfer.StartMeter(transfer.Work{Verb: "publish", Total: 6, Terminal: &terminal})
	ctx, cancel := context.WithCancel(t.Context())
	content, err := io.ReadAll(m.Reader(ctx, strings.NewReader("abcdef")))
	require.NoError(t, err)
	assert.Equal(t, "abcdef", string(content))
	cancel()
	_, err = io.ReadAll(m.Reader(ctx, strings.NewReader("abcdef")))
	require.ErrorIs(t, err, context.Canceled)
	m.Stop()
	assert.Contains(t, terminal.String(), "publish 100%")
}
