package connection

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// chunk is how many bytes a client must read to have made progress.
const chunk = 64 << 10

// Conn is a connection of a Listener.
type Conn struct {
	net.Conn
	listener *Listener
	host     string       // the client's address, without its port
	writing  atomic.Int64 // since when a chunk is being written, ns of the Unix epoch; 0: none is
	active   atomic.Int64 // when something was read or written last, ns of the Unix epoch
	closed   sync.Once
}

// Read reads what the client sends.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.active.Store(time.Now().UnixNano())
	return n, err
}

// Write writes p in chunks, so that a slow client is told from one that has stopped.
func (c *Conn) Write(p []byte) (written int, err error) {
	defer c.writing.Store(0)
	for {
		now := time.Now().UnixNano()
		c.writing.Store(now)
		c.active.Store(now)
		n, err := c.Conn.Write(p[written:min(written+chunk, len(p))])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

func (c *Conn) overdue(now time.Time, after time.Duration) bool {
	since := c.writing.Load()
	return since != 0 && now.Sub(time.Unix(0, since)) > after
}

// CloseWrite ends what is sent and still reads, as net/http does before it closes a
// connection whose body it has not read.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close closes the connection.
func (c *Conn) Close() error {
	c.closed.Do(func() { c.listener.remove(c) })
	return c.Conn.Close()
}
