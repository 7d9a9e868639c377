package serving

import (
	"errors"
	"sync"

	"slipway/server/repository"
)

// Why a load that is under way is given up.
var (
	errChanged  = errors.New("the model's folder has changed while it was loaded")
	errUnloaded = errors.New("the model was unloaded while it was loaded")
)

// reported is what the repository had when it was applied last: loads that are under
// way for an earlier state are out of date.
type reported struct {
	mu           sync.Mutex
	fingerprints map[string]string // by model; nil before the first state
}

// set replaces the state and returns the models that differ from the one before.
func (r *reported) set(state repository.State) (changed []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.fingerprints
	r.fingerprints = make(map[string]string, len(state.Models))
	for _, m := range state.Models {
		r.fingerprints[m.Name] = m.Fingerprint
		if before[m.Name] != m.Fingerprint {
			changed = append(changed, m.Name)
		}
	}
	for name := range before {
		if r.fingerprints[name] == "" {
			changed = append(changed, name)
		}
	}
	return changed
}

// is reports whether the repository has the model with that fingerprint; an empty one
// means that it has none of that name.
func (r *reported) is(name, fingerprint string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fingerprints[name] == fingerprint
}

// any reports whether a state has been set.
func (r *reported) any() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fingerprints != nil
}
