package serving

import "sync"

// modelLocks has a lock for each model that is being loaded or unloaded, by name.
// A lock that nobody holds or waits for takes no memory: models come and go.
type modelLocks struct {
	mu     sync.Mutex
	byName map[string]*modelLock
}

type modelLock struct {
	sync.Mutex
	users int // who holds it or waits for it; guarded by modelLocks.mu
}

// lock waits until nobody else changes the model; unlock ends that.
func (l *modelLocks) lock(name string) (unlock func()) {
	l.mu.Lock()
	one := l.byName[name]
	if one == nil {
		if l.byName == nil {
			l.byName = map[string]*modelLock{}
		}
		one = &modelLock{}
		l.byName[name] = one
	}
	one.users++
	l.mu.Unlock()
	one.Lock()
	return func() {
		one.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(l.byName, name)
		}
	}
}
