package repository

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Watcher reports when a repository has changed. It compares contents, so that a
// ConfigMap's switch of links, a network volume and a plain folder are all the
// same to it, and a file that was only touched has not changed.
type Watcher struct {
	folder   string
	interval time.Duration
	scanner  *scanner
	polled   bool
	previous State  // what the last scan found
	reported *State // what was reported last
}

// NewWatcher makes a watcher that scans the folder every interval.
func NewWatcher(folder string, interval time.Duration) *Watcher {
	return &Watcher{folder: folder, interval: interval, scanner: newScanner()}
}

// Next polls until the repository differs from what it returned last; the first
// time it returns the repository at once.
func (w *Watcher) Next(ctx context.Context) (State, error) {
	for {
		state, changed, err := w.Poll(ctx)
		if changed || err != nil {
			return state, err
		}
	}
}

// Poll scans the folder once, an interval after it was called last, and reports
// whether the repository has changed since Poll or Next reported it last. A model's
// change counts when two scans in a row have found the same, so that a bundle that
// is still being written is not loaded; it does not delay the other models. A folder
// that cannot be read is an error and no change: Poll may be called again.
func (w *Watcher) Poll(ctx context.Context) (state State, changed bool, err error) {
	if err := w.wait(ctx); err != nil {
		return State{}, false, err
	}
	now, err := w.scanner.scan(ctx, w.folder)
	switch {
	case ctx.Err() != nil:
		return State{}, false, context.Cause(ctx)
	case err != nil:
		return State{}, false, err
	}
	previous, reported := w.previous, w.reported
	w.previous = now
	if reported != nil {
		now = settled(*reported, previous, now)
		if now.same(*reported) {
			return *reported, false, nil
		}
	}
	w.reported = &now
	return now, true, nil
}

// wait lets an interval pass between two scans.
func (w *Watcher) wait(ctx context.Context) error {
	if !w.polled {
		w.polled = true
		return nil
	}
	timer := time.NewTimer(w.interval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// settled returns what was reported last, with the changes in which the last two
// scans agree.
func settled(reported, previous, now State) State {
	next := State{Problems: reported.Problems}
	if sameTexts(previous.Problems, now.Problems) {
		next.Problems = now.Problems
	}
	oldModels, previousModels, nowModels := reported.byName(), previous.byName(), now.byName()
	names := maps.Clone(nowModels)
	maps.Copy(names, oldModels)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		model := nowModels[name]
		if model.differs(previousModels[name]) {
			model = oldModels[name]
		}
		if model != nil {
			next.Models = append(next.Models, *model)
		}
	}
	return next
}

// differs reports whether two scans of a model differ; nil is a model that is not
// there.
func (m *Model) differs(other *Model) bool {
	if m == nil || other == nil {
		return m != other
	}
	return m.Fingerprint != other.Fingerprint
}

func (s State) byName() map[string]*Model {
	models := make(map[string]*Model, len(s.Models))
	for i := range s.Models {
		models[s.Models[i].Name] = &s.Models[i]
	}
	return models
}
