package serving

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
)

// Catalog is the models that can be asked.
type Catalog struct {
	log     *slog.Logger
	metrics *telemetry.Metrics
	current atomic.Pointer[models]
}

// models is one state of the catalog; it never changes once it is current.
type models struct {
	byName   map[string]*Model
	fallback string // the model of a request that names none, or empty
}

// Model is the versions of one model, at least one of them loaded or failed.
type Model struct {
	Name     string
	Versions []*Version // loaded, ascending
	failed   []error
}

// NewCatalog is an empty catalog, which is not ready.
func NewCatalog(log *slog.Logger, metrics *telemetry.Metrics) *Catalog {
	return &Catalog{log: log, metrics: metrics}
}

// Load opens and warms up every bundle of the repository folder, then makes
// them all current at once. A version that cannot be loaded is logged, counted
// and left out. An error means that the repository or defaultModel is wrong.
func (c *Catalog) Load(folder, defaultModel string, o onnx.Options) error {
	bundles, err := repository.Scan(folder)
	if err != nil {
		return err
	}
	next := &models{byName: map[string]*Model{}, fallback: defaultModel}
	for _, b := range bundles {
		m := next.byName[b.Model]
		if m == nil {
			m = &Model{Name: b.Model}
			next.byName[b.Model] = m
		}
		c.loadVersion(m, b, o)
	}
	switch _, known := next.byName[defaultModel]; {
	case defaultModel == "" && len(next.byName) == 1:
		next.fallback = bundles[0].Model
	case defaultModel != "" && !known:
		return errors.Join(fmt.Errorf("defaultModel: the repository has no model %q; it has %s", defaultModel, next.names()), next.close())
	}
	c.current.Store(next)
	return nil
}

func (c *Catalog) loadVersion(m *Model, b repository.Bundle, o onnx.Options) {
	began := time.Now()
	version := strconv.FormatInt(b.Version, 10)
	log := c.log.With("model", b.Model, "version", version)
	v, err := open(b, o, c.metrics)
	if err != nil {
		m.failed = append(m.failed, fmt.Errorf("version %s: %w", version, err))
		c.metrics.LoadFailed(b.Model, version)
		log.Error("model not loaded", "error", err)
		return
	}
	if err := v.warmUp(); err != nil {
		log.Info("warm-up run refused", "reason", err)
	}
	m.Versions = append(m.Versions, v)
	c.metrics.Loaded(b.Model, version)
	log.Info("model loaded", "seconds", time.Since(began).Seconds())
}

// Ready is nil when every model has a version that can be asked, else the reason.
func (c *Catalog) Ready() error {
	now := c.current.Load()
	if now == nil {
		return fault.New(fault.Unavailable, "models are being loaded")
	}
	for _, m := range now.sorted() {
		if err := m.Ready(); err != nil {
			return err
		}
	}
	return nil
}

// Failures are the versions that could not be loaded.
func (c *Catalog) Failures() error {
	now := c.current.Load()
	if now == nil {
		return nil
	}
	var all []error
	for _, m := range now.sorted() {
		for _, err := range m.failed {
			all = append(all, fmt.Errorf("model %q %w", m.Name, err))
		}
	}
	return errors.Join(all...)
}

// Models lists the models by name.
func (c *Catalog) Models() []*Model {
	now := c.current.Load()
	if now == nil {
		return nil
	}
	return now.sorted()
}

// Model finds a model; an empty name means the default one.
func (c *Catalog) Model(name string) (*Model, error) {
	now := c.current.Load()
	if now == nil {
		return nil, fault.New(fault.Unavailable, "models are being loaded")
	}
	if name == "" {
		if now.fallback == "" {
			return nil, fault.New(fault.NotFound, "there are several models (%s) and no defaultModel; name one: /predict/{model}", now.names())
		}
		name = now.fallback
	}
	m, ok := now.byName[name]
	if !ok {
		return nil, fault.New(fault.NotFound, "no model %q; there are %s", name, now.names())
	}
	return m, nil
}

// Choose finds a version of a model; an empty version means the newest.
func (c *Catalog) Choose(model, version string) (*Version, error) {
	m, err := c.Model(model)
	if err != nil {
		return nil, err
	}
	return m.Version(version)
}

// Close frees the models; nothing may be running any more.
func (c *Catalog) Close() error {
	if now := c.current.Swap(nil); now != nil {
		return now.close()
	}
	return nil
}

// Ready is nil when the model has a version that can be asked.
func (m *Model) Ready() error {
	if len(m.Versions) == 0 {
		return fault.New(fault.Unavailable, "model %q has no version that could be loaded: %w", m.Name, errors.Join(m.failed...))
	}
	return nil
}

// Version finds a version by its number; empty means the newest.
func (m *Model) Version(number string) (*Version, error) {
	if err := m.Ready(); err != nil {
		return nil, err
	}
	if number == "" {
		return m.Versions[len(m.Versions)-1], nil
	}
	for _, v := range m.Versions {
		if v.Number == number {
			return v, nil
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

func (s *models) sorted() []*Model {
	return slices.SortedFunc(maps.Values(s.byName), func(a, b *Model) int { return cmp.Compare(a.Name, b.Name) })
}

func (s *models) names() string { return strings.Join(slices.Sorted(maps.Keys(s.byName)), ", ") }

func (s *models) close() error {
	var all []error
	for _, m := range s.byName {
		for _, v := range m.Versions {
			all = append(all, v.session.Close())
		}
	}
	return errors.Join(all...)
}
