package connection

import (
	"net"
	"sync"
	"time"
)

// Options of a listener.
type Options struct {
	// Most connections at the same time. One more is closed at once.
	Most int
	// Stall is how long a client may take to read a chunk of 64 KiB. One that takes
	// longer is disconnected.
	Stall time.Duration
}

// Listener accepts connections that are bounded.
type Listener struct {
	net.Listener
	options Options

	mu      sync.Mutex
	open    map[*Conn]struct{}
	refused int64

	end   chan struct{}
	swept sync.WaitGroup
	close sync.Once
}

// Listen bounds the connections of l, which it owns. Close must follow.
func Listen(l net.Listener, o Options) *Listener {
	b := &Listener{Listener: l, options: o, open: map[*Conn]struct{}{}, end: make(chan struct{})}
	b.swept.Go(b.sweep)
	return b
}

// Accept returns the next connection that there is space for.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.add(accepted); c != nil {
			return c, nil
		}
		_ = accepted.Close() // who opens too many is told nothing
	}
}

func (l *Listener) add(accepted net.Conn) *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.options.Most {
		l.refused++
		return nil
	}
	c := &Conn{Conn: accepted, listener: l}
	l.open[c] = struct{}{}
	return c
}

func (l *Listener) remove(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// Open returns how many connections there are.
func (l *Listener) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// Refused returns how many connections were one too many.
func (l *Listener) Refused() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refused
}

// Close accepts no more. The connections stay, and nobody looks after them any more.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	l.close.Do(func() { close(l.end) })
	l.swept.Wait()
	return err
}

// sweep disconnects the clients that don't read.
func (l *Listener) sweep() {
	ticker := time.NewTicker(max(l.options.Stall/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-l.end:
			return
		case now := <-ticker.C:
			for _, c := range l.stalled(now) {
				_ = c.Close()
			}
		}
	}
}

func (l *Listener) stalled(now time.Time) (all []*Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		if c.stalled(now, l.options.Stall) {
			all = append(all, c)
		}
	}
	return all
}
