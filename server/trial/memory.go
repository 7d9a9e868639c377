package trial

import (
	"context"
	"fmt"
	"sync"

	"slipway/server/admission"
)

const (
	// A trial gets perModelByte times its model's files and smallest bytes at first:
	// most models need less, and several can be tried side by side.
	perModelByte, smallest = 4, 64 << 20
	// leastBytes is what no model could be tried with.
	leastBytes = 32 << 20
)

// memory shares the memory that the container has left among the trials. Of what is
// left a trial gets seven eighths at most, so that a large model that never ends
// keeps no small one from being tried.
type memory struct {
	limit  int64                  // the container's
	used   func() int64           // bytes that the server holds
	most   int64                  // of one trial; 0: no bound of its own
	budget *admission.Budget      // of requests, which get less while a trial is under way
	mu     sync.Mutex             // guards what follows
	shares map[*reservation]int64 // what is reserved for each trial
	held   map[*reservation]int64 // what its child holds of it
	change chan struct{}          // closed when a reservation ends or shrinks
}

// reservation is the memory of one trial and of the load that follows it.
type reservation struct {
	memory *memory
	bytes  int64 // that the trial may use
	charge *admission.Charge
}

// reserve waits until want bytes are left, or until no other trial is under way and
// takes what there is. With alone it waits for that in any case.
func (m *memory) reserve(ctx context.Context, want int64, alone bool) (*reservation, error) {
	for {
		r, changed, err := m.tryReserve(want, alone)
		if r != nil || err != nil {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-changed:
		}
	}
}

func (m *memory) tryReserve(want int64, alone bool) (*reservation, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shares == nil {
		m.shares, m.held, m.change = map[*reservation]int64{}, map[*reservation]int64{}, make(chan struct{})
	}
	free := m.limit - m.used() - sum(m.shares)
	free -= free / 8
	if m.most > 0 {
		free = min(free, m.most)
	}
	if len(m.shares) > 0 && (alone || free < want) {
		return nil, m.change, nil
	}
	if free < leastBytes {
		return nil, nil, &Failure{outOfMemory: true, Reason: fmt.Sprintf("the container has %d MiB left for a trial, too few for any model; "+
			"raise the pod's memory limit, or turn trials off (trial.enabled)", max(0, free>>20))}
	}
	r := &reservation{memory: m, bytes: min(want, free), charge: m.budget.Charge()}
	m.shares[r] = r.bytes
	m.chargeFor(r)
	return r, nil, nil
}

// chargeFor charges the budget of requests for a trial. What does not fit into it is
// taken from what sessions may still grow by.
func (m *memory) chargeFor(r *reservation) {
	if m.budget == nil {
		return
	}
	free := m.budget.Limit() - m.budget.Used()
	_ = r.charge.Add(admission.Load, max(0, min(r.bytes, free-m.budget.Limit()/8))) // refused only if requests were quicker
}

// exceeds reports that a trial's child, which holds that many bytes, must end: it
// holds more than it may, or the server needs the memory after all.
func (r *reservation) exceeds(held int64) bool {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[r] = held
	return held > r.bytes || m.limit-m.used()-sum(m.held) < m.limit/16
}

// shrink keeps only what the load that follows the trial needs.
func (r *reservation) shrink(bytes int64) {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shares[r] = min(bytes, r.bytes)
	delete(m.held, r)
	r.charge.Sub(admission.Load, r.charge.Held(admission.Load)-m.shares[r])
	m.notify()
}

// release gives everything back.
func (r *reservation) release() {
	m := r.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.shares, r)
	delete(m.held, r)
	r.charge.Release()
	m.notify()
}

func (m *memory) notify() {
	close(m.change)
	m.change = make(chan struct{})
}

func sum(all map[*reservation]int64) (bytes int64) {
	for _, n := range all {
		bytes += n
	}
	return bytes
}
