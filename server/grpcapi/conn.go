package grpcapi

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// readBytes is the buffer of a connection's reader. grpc has none of its own, so
// that a frame's header is seen here just before grpc handles the frame.
const readBytes = 32 << 10

// Listener charges what arrives on the connections of a gRPC listener to the calls
// that it is for.
type Listener struct {
	net.Listener

	mu   sync.Mutex
	open map[*conn]struct{}
}

// Listen returns a listener whose connections are charged. They must be served by a
// Server of an API.
func Listen(l net.Listener) *Listener { return &Listener{Listener: l, open: map[*conn]struct{}{}} }

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, listener: l, buffered: bufio.NewReaderSize(accepted, readBytes), flows: map[uint32]*flow{}}
	c.in.skip = prefaceLength
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	return c, nil
}

// Sweep ends the calls whose message does not arrive and the connections whose
// responses are not read. It must be called every few seconds.
func (l *Listener) Sweep(now time.Time) {
	l.mu.Lock()
	all := make([]*conn, 0, len(l.open))
	for c := range l.open {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		c.sweep(now)
	}
}

// conn is a connection whose frames are followed.
type conn struct {
	net.Conn
	listener *Listener
	buffered *bufio.Reader
	in, out  frames // of the goroutine that reads, and of the one that writes

	mu     sync.Mutex
	flows  map[uint32]*flow
	purge  int // the number of flows from which those that have ended are looked for
	closed bool
}

// connAddr is the client's address, by which a call finds its connection.
type connAddr struct {
	net.Addr
	conn *conn
}

// RemoteAddr returns the client's address.
func (c *conn) RemoteAddr() net.Addr { return connAddr{c.Conn.RemoteAddr(), c} }

// Read charges the DATA frames that begin in what it reads.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.buffered.Read(p)
	c.in.scan(p[:n], func(stream uint32, length int, last bool) {
		if f := c.flow(stream); f != nil {
			f.arrived(int64(length), last)
		}
	})
	return n, err
}

// Write notes the calls whose responses are being written.
func (c *conn) Write(p []byte) (int, error) {
	c.out.scan(p, func(stream uint32, _ int, _ bool) {
		if f := c.flow(stream); f != nil {
			f.progressed()
		}
	})
	return c.Conn.Write(p)
}

// Close closes the connection and gives back what its calls hold.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	c.mu.Lock()
	c.closed = true
	for id, f := range c.flows {
		f.charge.Release()
		delete(c.flows, id)
	}
	c.mu.Unlock()
	return c.Conn.Close()
}

func (c *conn) flow(stream uint32) *flow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flows[stream]
}

// begin adds the call whose HEADERS frame grpc is handling. It returns false when
// the connection is closed.
func (c *conn) begin(f *flow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if len(c.flows) >= max(c.purge, minPurge) { // calls that no handler was run for
		for _, old := range c.flows {
			if old.abandoned() {
				old.charge.Release()
				delete(c.flows, old.id)
			}
		}
		c.purge = 2 * len(c.flows)
	}
	f.conn, f.id = c, c.in.stream
	c.flows[f.id] = f
	return true
}

const minPurge = 64

func (c *conn) end(f *flow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.flows, f.id)
}

func (c *conn) sweep(now time.Time) {
	c.mu.Lock()
	var stuck bool
	for _, f := range c.flows {
		stuck = f.sweep(now) || stuck
	}
	c.mu.Unlock()
	if stuck {
		_ = c.Close() // grpc cannot end a single call whose handler has returned
	}
}
