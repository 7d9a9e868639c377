package serving

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// placeTime is how long a load may keep another from beginning. One that takes longer
// goes on beside the next: a few that never end must not keep all others waiting.
const placeTime = 10 * time.Second

// places bounds the loads that begin side by side: each takes about a processor. Of
// those that wait the largest begins next, since the one that takes longest decides when
// all are loaded.
type places struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter // ascending by size
}

// waiter is a load that waits for a place.
type waiter struct {
	size  int64         // bytes of its files
	begin chan struct{} // closed when it has a place
}

func newPlaces(n int) *places { return &places{free: max(n, 1)} }

// take waits for a place for a load of that many bytes. It is given back by leave, or
// after placeTime.
func (p *places) take(ctx context.Context, size int64) (leave func(), _ error) {
	w := p.enqueue(size)
	select {
	case <-w.begin:
	case <-ctx.Done():
		p.abandon(w)
		return nil, context.Cause(ctx)
	}
	once := sync.OnceFunc(p.giveBack)
	timer := time.AfterFunc(placeTime, once)
	return func() {
		timer.Stop()
		once()
	}, nil
}

func (p *places) enqueue(size int64) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{size: size, begin: make(chan struct{})}
	at, _ := slices.BinarySearchFunc(p.waiting, size, func(w *waiter, size int64) int { return cmp.Compare(w.size, size) })
	p.waiting = slices.Insert(p.waiting, at, w) // before those of its size, which came first
	p.next()
	return w
}

func (p *places) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	p.next()
}

// abandon ends the wait of a load that may have a place by now.
func (p *places) abandon(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := slices.Index(p.waiting, w); at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
		return
	}
	p.free++
	p.next()
}

// next gives a free place to the largest load that waits. p.mu is held.
func (p *places) next() {
	if n := len(p.waiting); p.free > 0 && n > 0 {
		p.free--
		close(p.waiting[n-1].begin)
		p.waiting = p.waiting[:n-1]
	}
}
