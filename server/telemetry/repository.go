package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// repository are the series of the repository and of the models that it has.
type repository struct {
	fault prometheus.Gauge
	ready *prometheus.GaugeVec
}

func newRepository(f promauto.Factory) repository {
	return repository{
		fault: f.NewGauge(prometheus.GaugeOpts{
			Name: "slipway_repository_fault", Help: "1 while the repository can't be read, or has lost all models that are served.",
		}),
		ready: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "slipway_model_ready", Help: "1 while the model has a version that can be called.",
		}, []string{"model"}),
	}
}

// RepositoryFault records whether the repository has a fault.
func (m *Metrics) RepositoryFault(fault bool) { m.repository.fault.Set(one(fault)) }

// ModelReady records whether a model has a version that can be called.
func (m *Metrics) ModelReady(model string, ready bool) {
	m.repository.ready.WithLabelValues(model).Set(one(ready))
}

// ModelGone removes the series of a model that the repository no longer has.
func (m *Metrics) ModelGone(model string) { m.repository.ready.DeleteLabelValues(model) }

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
