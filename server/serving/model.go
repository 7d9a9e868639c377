package serving

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/repository"
)

// Model is the versions of one model. It never changes: a reload makes another.
type Model struct {
	Name     string
	Config   modelconfig.Config
	Versions []*Version // loaded, ascending

	described repository.Model // what the repository said of it when it was loaded
	failures  []failure
	unloaded  bool // by request: the folder has it and nobody may ask it
}

// failure is a version, or with an empty number a whole model, that could not
// be loaded.
type failure struct {
	number string
	err    error
}

func (f failure) Error() string {
	if f.number == "" {
		return f.err.Error()
	}
	return "version " + f.number + ": " + f.err.Error()
}

// Ready is nil when the model has a version that can be asked.
func (m *Model) Ready() error {
	switch {
	case len(m.Versions) > 0:
		return nil
	case m.unloaded:
		return fault.New(fault.Unavailable, "model %q is unloaded; load it again: POST /v2/repository/models/%s/load on the administration port", m.Name, m.Name)
	}
	return fault.New(fault.Unavailable, "model %q has no version that could be loaded: %w", m.Name, m.failed())
}

// Version finds a version by its number; empty means the newest.
func (m *Model) Version(number string) (*Version, error) {
	if err := m.Ready(); err != nil {
		return nil, err
	}
	if number == "" {
		return m.Versions[len(m.Versions)-1], nil
	}
	if v := m.loaded(number); v != nil {
		return v, nil
	}
	for _, f := range m.failures {
		if f.number == number {
			return nil, fault.New(fault.Unavailable, "model %q version %s could not be loaded: %w", m.Name, number, f.err)
		}
	}
	return nil, fault.New(fault.NotFound, "model %q has no version %q; it has %s", m.Name, number, strings.Join(m.Numbers(), ", "))
}

// Numbers are the versions that can be asked, ascending.
func (m *Model) Numbers() []string {
	all := make([]string, len(m.Versions))
	for i, v := range m.Versions {
		all[i] = v.Number
	}
	return all
}

// loaded is the version of a number, or nil.
func (m *Model) loaded(number string) *Version {
	for _, v := range m.Versions {
		if v.Number == number {
			return v
		}
	}
	return nil
}

func (m *Model) failed() error {
	all := make([]error, len(m.failures))
	for i, f := range m.failures {
		all[i] = f
	}
	return errors.Join(all...)
}

// models is one state of the catalog; it never changes once it is current.
type models struct {
	byName   map[string]*Model
	fallback string // the model of a request that names none, or empty
}

func (s *models) sorted() []*Model {
	return slices.SortedFunc(maps.Values(s.byName), func(a, b *Model) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *models) names() string {
	if len(s.byName) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(s.byName)), ", ")
}

// with is the state after model m took the place of the one of its name; a nil
// m takes it out.
func (s *models) with(name string, m *Model, defaultModel string) *models {
	next := &models{byName: maps.Clone(s.byName), fallback: defaultModel}
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
	return next
}

// find looks a model up; an empty name means the default one.
func (s *models) find(name string) (*Model, error) {
	if name == "" {
		if s.fallback == "" {
			return nil, fault.New(fault.NotFound, "there are several models (%s) and no defaultModel; name one: /predict/{model}", s.names())
		}
		name = s.fallback
	}
	m, ok := s.byName[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "no model %q; there are %s", name, s.names())
	}
	return m, nil
}

// ready is nil when every model that was not unloaded can be asked.
func (s *models) ready() error {
	if len(s.byName) == 0 {
		return fault.New(fault.Unavailable, "the repository has no model yet")
	}
	if _, known := s.byName[s.fallback]; s.fallback != "" && !known {
		return fault.New(fault.Unavailable, "defaultModel: the repository has no model %q; it has %s", s.fallback, s.names())
	}
	for _, m := range s.sorted() {
		if err := m.Ready(); err != nil && !m.unloaded {
			return err
		}
	}
	return nil
}

// failures are the versions and models that could not be loaded.
func (s *models) failures() error {
	var all []error
	for _, m := range s.sorted() {
		for _, f := range m.failures {
			all = append(all, fmt.Errorf("model %q: %w", m.Name, f))
		}
	}
	return errors.Join(all...)
}
