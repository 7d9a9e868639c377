package serving

import (
	"context"
	"sync"
)

// modelLocks has a lock for each model that is being loaded or unloaded, by name.
// A lock that nobody holds or waits for takes no memory: models come and go.
type modelLocks struct {
	mu     sync.Mutex
	byName map[string]*modelLock
}

type modelLock struct {
	free  chan struct{} // has an element while nobody holds the lock
	users int           // who holds it or waits for it; guarded by modelLocks.mu

	cancel context.CancelCauseFunc // of the holder; guarded by modelLocks.mu
}

// lock waits until nobody else changes the model, or until ctx is done. The change
// must end when the context that lock returns does, and then call unlock.
func (l *modelLocks) lock(ctx context.Context, name string) (_ context.Context, unlock func(), err error) {
	l.mu.Lock()
	one := l.byName[name]
	if one == nil {
		if l.byName == nil {
			l.byName = map[string]*modelLock{}
		}
		one = &modelLock{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		l.byName[name] = one
	}
	one.users++
	l.mu.Unlock()
	select {
	case <-one.free:
	case <-ctx.Done():
		l.leave(name, one)
		return nil, nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	l.mu.Lock()
	one.cancel = cancel
	l.mu.Unlock()
	return ctx, func() {
		cancel(nil)
		l.mu.Lock()
		one.cancel = nil
		l.mu.Unlock()
		one.free <- struct{}{}
		l.leave(name, one)
	}, nil
}

func (l *modelLocks) leave(name string, one *modelLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(l.byName, name)
	}
}

// interrupt ends the change of a model that is under way, if any.
func (l *modelLocks) interrupt(name string, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one := l.byName[name]; one != nil && one.cancel != nil {
		one.cancel(cause)
	}
}
