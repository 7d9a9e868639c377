package serving

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/server/bundle"
	"slipway/server/fault"
	"slipway/server/names"
)

// models is one state of the catalog; it never changes once it is current.
type models struct {
	byName   map[string]*Model
	fallback string // the model of a request that names none, or empty
	complete bool   // each load of the repository's first state has ended
	started  bool   // since then a model could be called, or none was to be loaded
	required []string
	explicit bool // models are loaded by request only
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
	next := *s
	next.byName, next.fallback = maps.Clone(s.byName), defaultModel
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
	next.started = next.started || next.complete && next.serves()
	return &next
}

// completed returns the state in which each load of the first one has ended.
func (s *models) completed() *models {
	next := *s
	next.complete = true
	next.started = s.started || s.serves() || len(s.attempted()) == 0
	return &next
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

// ready returns nil when requests should come to this server, else the reason. The
// required models must serve. Where none is required one is enough: what served is not
// lost by a failure, since a version that cannot replace another leaves it, and a
// model that is broken or half copied is so for every pod that has the same
// repository, so that without readiness they would all refuse the requests for the
// others too. Where models are loaded by request, no model at all is as good.
func (s *models) ready() error {
	for _, name := range s.required {
		m := s.byName[name]
		if m == nil {
			return fault.New(fault.Unavailable, "repository.required or defaultModel: the repository has no model %q; it has %s", name, s.names(name))
		}
		if err := m.Ready(); err != nil {
			return err
		}
	}
	switch {
	case len(s.required) > 0, s.serves(), s.explicit && s.started:
		return nil
	case len(s.byName) == 0:
		return fault.New(fault.Unavailable, "the repository has no model yet")
	}
	attempted := s.attempted()
	if len(attempted) == 0 {
		attempted = s.sorted()
	}
	var reasons []error
	for _, m := range attempted {
		reasons = append(reasons, m.Ready())
	}
	return errors.Join(bundle.Few(reasons)...)
}

// attempted returns the models that are to be loaded.
func (s *models) attempted() []*Model {
	return slices.DeleteFunc(s.sorted(), func(m *Model) bool { return m.unloaded })
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
