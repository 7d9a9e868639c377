package connection

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a listener.
type Options struct {
	// Most connections at the same time. For one more, another one is closed: of the
	// address that has the most, the one that has been silent for longest.
	Most int
	// Stall is how long a client may take to read a chunk of 64 KiB. One that takes
	// longer is disconnected.
	Stall time.Duration
}

// interval is how often stalled clients are looked for.
const interval = time.Second

// Listener accepts connections that are bounded.
type Listener struct {
	net.Listener
	options Options

	mu    sync.Mutex
	open  map[*Conn]struct{}
	hosts map[string]int // connections of each address
	sweep func(now time.Time)

	stall            atomic.Int64 // as the option, ns
	evicted, stalled atomic.Int64

	end   chan struct{}
	swept sync.WaitGroup
	stop  sync.Once
}

// Listen bounds the connections of l, which it owns. Stop must follow.
func Listen(l net.Listener, o Options) *Listener {
	b := &Listener{Listener: l, options: o, open: map[*Conn]struct{}{}, hosts: map[string]int{}, end: make(chan struct{})}
	b.stall.Store(int64(o.Stall))
	b.swept.Go(b.watch)
	return b
}

// SetStall changes how long a client may take to read a chunk.
func (l *Listener) SetStall(d time.Duration) { l.stall.Store(int64(d)) }

// OnSweep makes the listener call a function as often as it looks for stalled
// clients, which is every second.
func (l *Listener) OnSweep(sweep func(now time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep = sweep
}

// Accept returns the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(accepted.RemoteAddr().String())
	c := &Conn{Conn: accepted, listener: l, host: host}
	c.active.Store(time.Now().UnixNano())
	if silent := l.add(c); silent != nil {
		l.evicted.Add(1)
		_ = silent.Close()
	}
	return c, nil
}

// add adds a connection and returns the one that it takes the place of, or nil.
func (l *Listener) add(c *Conn) (silent *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	l.hosts[c.host]++
	if len(l.open) <= l.options.Most {
		return nil
	}
	most := c.host
	for host, n := range l.hosts {
		if n > l.hosts[most] {
			most = host
		}
	}
	for other := range l.open {
		if other.host == most && other != c && (silent == nil || other.active.Load() < silent.active.Load()) {
			silent = other
		}
	}
	if silent == nil { // each address has one
		silent = c
	}
	l.removeLocked(silent)
	return silent
}

func (l *Listener) remove(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removeLocked(c)
}

func (l *Listener) removeLocked(c *Conn) {
	if _, has := l.open[c]; !has {
		return
	}
	delete(l.open, c)
	if l.hosts[c.host]--; l.hosts[c.host] == 0 {
		delete(l.hosts, c.host)
	}
}

// Open returns how many connections there are.
func (l *Listener) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// Evicted returns how many connections were closed for others.
func (l *Listener) Evicted() int64 { return l.evicted.Load() }

// Stalled returns how many clients were disconnected because they did not read.
func (l *Listener) Stalled() int64 { return l.stalled.Load() }

// Stop closes the listener and ends the watch over its connections. It must be
// called after they have ended: Close leaves the watch running.
func (l *Listener) Stop() {
	l.stop.Do(func() {
		_ = l.Close() // it may be closed already
		close(l.end)
	})
	l.swept.Wait()
}

// watch disconnects the clients that don't read.
func (l *Listener) watch() {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-l.end:
			return
		case now := <-ticker.C:
			l.disconnectStalled(now)
		}
	}
}

func (l *Listener) disconnectStalled(now time.Time) {
	overdue, sweep := l.overdue(now)
	for _, c := range overdue {
		l.stalled.Add(1)
		_ = c.Close()
	}
	if sweep != nil {
		sweep(now)
	}
}

func (l *Listener) overdue(now time.Time) (all []*Conn, sweep func(time.Time)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		if c.overdue(now, time.Duration(l.stall.Load())) {
			all = append(all, c)
		}
	}
	return all, l.sweep
}
