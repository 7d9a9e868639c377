package serving

import (
	"errors"
	"time"

	"slipway/server/fault"
	"slipway/server/modelconfig"
	"slipway/server/names"
	"slipway/server/repository"
)

// Model is the versions of one model. It never changes: a reload makes another.
type Model struct {
	Name     string
	Config   modelconfig.Config
	Versions []*Version // loaded, ascending

	described repository.Model // what the repository had when it was loaded
	failures  []failure
	unloaded  bool // by request: the folder has it, and it is not served

	retryAt    time.Time     // when its failed loads are due again; zero: never
	retryDelay time.Duration // between the last load and retryAt
}

// failure is a version, or with an empty number a whole model, that could not
// be loaded.
type failure struct {
	number string
	err    error
	bundle string // its fingerprint
	older  bool   // no scan reports when it has changed
}

func (f failure) Error() string {
	if f.number == "" {
		return f.err.Error()
	}
	return "version " + f.number + ": " + f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// Ready returns nil when the model has a version that can be called.
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
	if f := m.failure(number); f != nil {
		return nil, fault.New(fault.Unavailable, "model %q version %s could not be loaded: %w", m.Name, number, f.err)
	}
	return nil, fault.New(fault.NotFound, "model %q has no version %q; it has %s", m.Name, number, names.List(number, m.Numbers()))
}

// Numbers returns the versions that can be called, ascending.
func (m *Model) Numbers() []string {
	all := make([]string, len(m.Versions))
	for i, v := range m.Versions {
		all[i] = v.Number
	}
	return all
}

// loaded returns the loaded version of a number, or nil.
func (m *Model) loaded(number string) *Version {
	for _, v := range m.Versions {
		if v.Number == number {
			return v
		}
	}
	return nil
}

// failure returns why a version could not be loaded, or nil. A nil model has none.
func (m *Model) failure(number string) *failure {
	if m == nil {
		return nil
	}
	for i := range m.failures {
		if m.failures[i].number == number {
			return &m.failures[i]
		}
	}
	return nil
}

// withoutFailures returns a copy of m as if nothing had failed to load, so that
// everything is tried again. A nil model stays nil.
func (m *Model) withoutFailures() *Model {
	if m == nil {
		return nil
	}
	clean := *m
	clean.failures, clean.retryDelay = nil, 0
	return &clean
}

// listed returns the numbers of the versions that are loaded or have failed. A nil
// model has none.
func (m *Model) listed() []string {
	if m == nil {
		return nil
	}
	numbers := m.Numbers()
	for _, f := range m.failures {
		if f.number != "" {
			numbers = append(numbers, f.number)
		}
	}
	return numbers
}

// failed joins the failures.
func (m *Model) failed() error {
	all := make([]error, len(m.failures))
	for i, f := range m.failures {
		all[i] = f
	}
	return errors.Join(all...)
}
