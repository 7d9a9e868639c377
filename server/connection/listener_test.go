package connection_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/connection"
)

const soon = 10 * time.Second

func listen(t *testing.T, o connection.Options) *connection.Listener {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := connection.Listen(socket, o)
	t.Cleanup(l.Stop)
	return l
}

// connect returns both ends of a new connection.
func connect(t *testing.T, l *connection.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

// connectFrom is connect from an address of its own.
func connectFrom(t *testing.T, l *connection.Listener, host string) (client net.Conn) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	client, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	server, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return client
}

// Who opens very many closes their own.
func TestOneAddressClosesNoConnectionOfAnother(t *testing.T) {
	l := listen(t, connection.Options{Most: 3, Stall: time.Minute})
	other := connectFrom(t, l, "127.0.0.2") // silent for longest
	first := connectFrom(t, l, "127.0.0.3")
	for range 5 {
		connectFrom(t, l, "127.0.0.3")
	}
	assert.False(t, isClosed(t, other))
	assert.True(t, isClosed(t, first))
	assert.Equal(t, 3, l.Open())
}

func isClosed(t *testing.T, client net.Conn) bool {
	t.Helper()
	require.NoError(t, client.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := client.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestTheMostSilentConnectionMakesPlace(t *testing.T) {
	l := listen(t, connection.Options{Most: 2, Stall: time.Minute})
	first, firstServer := connect(t, l)
	second, _ := connect(t, l)
	_, err := first.Write([]byte("x"))
	require.NoError(t, err)
	_, err = firstServer.Read(make([]byte, 1)) // the second is the silent one now
	require.NoError(t, err)

	third, _ := connect(t, l)
	assert.False(t, isClosed(t, first))
	assert.True(t, isClosed(t, second))
	assert.False(t, isClosed(t, third))
	assert.Equal(t, 2, l.Open())
	assert.Equal(t, int64(1), l.Evicted())
}

func TestClosedConnectionsDoNotCount(t *testing.T) {
	l := listen(t, connection.Options{Most: 1, Stall: time.Minute})
	for range 3 {
		_, server := connect(t, l)
		require.NoError(t, server.Close())
		assert.Zero(t, l.Open())
	}
	assert.Zero(t, l.Evicted())
}

// A client that reads slowly is served, however long that takes; one that does not
// read at all is disconnected.
func TestWhoDoesNotReadIsDisconnected(t *testing.T) {
	swept := make(chan struct{}, 1000)
	l := listen(t, connection.Options{Most: 10, Stall: 2 * time.Second})
	l.OnSweep(func(time.Time) { swept <- struct{}{} })
	const size = 32 << 20 // more than the kernel's buffers hold
	write := func(server net.Conn) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := server.Write(make([]byte, size))
			done <- err
		}()
		return done
	}
	stopped, stoppedServer := connect(t, l)
	ended := write(stoppedServer)
	slow, slowServer := connect(t, l)
	read := write(slowServer)

	// The slow one takes longer than the limit, a piece for each time it is looked for.
	var got int64
	for range 4 {
		<-swept
		n, err := io.CopyN(io.Discard, slow, 4<<20)
		require.NoError(t, err)
		got += n
	}
	rest, err := io.CopyN(io.Discard, slow, size-got)
	require.NoError(t, err)
	assert.Equal(t, int64(size), got+rest)
	require.NoError(t, <-read)

	select {
	case err := <-ended:
		require.Error(t, err)
	case <-time.After(soon):
		t.Fatal("the client that does not read keeps its response")
	}
	assert.Equal(t, int64(1), l.Stalled())
	_ = stopped
}

func TestStopEndsTheWatch(t *testing.T) {
	l := listen(t, connection.Options{Most: 1, Stall: time.Minute})
	_, server := connect(t, l)
	l.Stop()
	l.Stop()
	_, err := l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	assert.Equal(t, 1, l.Open(), "the connections stay")
	require.NoError(t, server.Close())
}
