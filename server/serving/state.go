package serving

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/server/fault"
	"slipway/server/names"
)

// models is one state of the catalog; it never changes once it is current.
type models struct {
	byName   map[string]*Model
	fallback string // the model of a request that names none, or empty
	complete bool   // the repository has been loaded; until then readers see nothing
	reached  bool   // all models could be called at one moment
}

func (s *models) sorted() []*Model {
	return slices.SortedFunc(maps.Values(s.byName), func(a, b *Model) int { return cmp.Compare(a.Name, b.Name) })
}

// names lists the models for an error about another name, or about none.
func (s *models) names(other string) string {
	return names.List(other, slices.Sorted(maps.Keys(s.byName)))
}

// with returns the state in which m replaces the model of that name, or in which
// that model is gone when m is nil.
func (s *models) with(name string, m *Model, defaultModel string) *models {
	next := &models{byName: maps.Clone(s.byName), fallback: defaultModel, complete: s.complete, reached: s.reached}
	if m == nil {
		delete(next.byName, name)
	} else {
		next.byName[name] = m
	}
	if defaultModel == "" && len(next.byName) == 1 {
		for only := range next.byName {
			next.fallback = only
		}
	}
	next.reached = next.reached || next.complete && next.all() == nil
	return next
}

// find looks up a model; an empty name means the default one.
func (s *models) find(name string) (*Model, error) {
	if name == "" {
		if s.fallback == "" {
			return nil, fault.New(fault.NotFound, "there are several models (%s) and no defaultModel; name one: /predict/{model}", s.names(""))
		}
		name = s.fallback
	}
	m, ok := s.byName[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "no model %q; there are %s", name, s.names(name))
	}
	return m, nil
}

// ready returns nil when requests should come to this server, else the reason. Until
// all models could be called, each is required: a rollout must not replace pods that
// serve by others that lack a model. Since then any one is enough. A model that comes
// later may be half copied or broken, and one that is lost is lost to every pod, since
// they share the repository: without readiness they would all refuse the requests for
// the other models too. Whether one model can be called is Model.Ready.
func (s *models) ready() error {
	if s.reached && s.serves() {
		return nil
	}
	return s.all()
}

// all returns nil when every model that was not unloaded can be called.
func (s *models) all() error {
	if len(s.byName) == 0 {
		return fault.New(fault.Unavailable, "the repository has no model yet")
	}
	if _, known := s.byName[s.fallback]; s.fallback != "" && !known {
		return fault.New(fault.Unavailable, "defaultModel: the repository has no model %q; it has %s", s.fallback, s.names(s.fallback))
	}
	for _, m := range s.sorted() {
		if err := m.Ready(); err != nil && !m.unloaded {
			return err
		}
	}
	return nil
}

// failures joins the reasons of the versions and models that could not be loaded.
func (s *models) failures() error {
	var all []error
	for _, m := range s.sorted() {
		for _, f := range m.failures {
			all = append(all, fmt.Errorf("model %q: %w", m.Name, f))
		}
	}
	return errors.Join(all...)
}
