package repository

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Watcher tells when a repository has changed. It looks at the content, so that
// a ConfigMap's switch of links, a network volume and a plain folder are all
// the same to it, and a file that was only touched has not changed.
type Watcher struct {
	folder   string
	interval time.Duration
	scanner  scanner
	looked   bool
	before   State  // what the last look saw
	told     *State // what Next returned last
}

// NewWatcher looks at the folder every interval.
func NewWatcher(folder string, interval time.Duration) *Watcher {
	return &Watcher{folder: folder, interval: interval}
}

// Next returns the repository at once the first time. After that it blocks
// until the repository differs from what it returned last. A model's change
// counts when two looks in a row have seen the same, so that what is still being
// written is not taken up; it does not hold up the other models. A folder that
// cannot be read is an error and no change: Next may be called again and waits
// an interval before it looks again.
func (w *Watcher) Next(ctx context.Context) (State, error) {
	for {
		if err := w.wait(ctx); err != nil {
			return State{}, err
		}
		now, err := w.scanner.scan(ctx, w.folder)
		switch {
		case ctx.Err() != nil:
			return State{}, context.Cause(ctx)
		case err != nil:
			return State{}, err
		}
		before := w.before
		w.before = now
		if w.told == nil {
			w.told = &now
			return now, nil
		}
		if next := settled(*w.told, before, now); !reflect.DeepEqual(*w.told, next) {
			w.told = &next
			return next, nil
		}
	}
}

// wait lets an interval pass between two looks.
func (w *Watcher) wait(ctx context.Context) error {
	if !w.looked {
		w.looked = true
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

// settled is what was told, with the changes in which the last two looks agree.
func settled(told, before, now State) State {
	next := State{Problems: told.Problems}
	if reflect.DeepEqual(before.Problems, now.Problems) {
		next.Problems = now.Problems
	}
	toldModels, beforeModels, nowModels := told.byName(), before.byName(), now.byName()
	names := maps.Clone(nowModels)
	maps.Copy(names, toldModels)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		model := nowModels[name]
		if !reflect.DeepEqual(beforeModels[name], model) {
			model = toldModels[name]
		}
		if model != nil {
			next.Models = append(next.Models, *model)
		}
	}
	return next
}

func (s State) byName() map[string]*Model {
	models := make(map[string]*Model, len(s.Models))
	for i := range s.Models {
		models[s.Models[i].Name] = &s.Models[i]
	}
	return models
}
