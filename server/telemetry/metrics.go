package telemetry

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Build identifies the running program.
type Build struct{ Version, Revision, ONNXRuntime string }

// Metrics are the server's series. Labels come from closed sets: models and
// versions of the repository, protocols and status codes of ours.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	models   models

	repository repository

	mu         sync.RWMutex
	references map[versionLabels]int // who still reports under these labels
}

// seconds from 250 µs, a tiny model's whole request, to 10 s.
var seconds = []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// NewMetrics registers the series, with those of Go and of the process.
func NewMetrics(r prometheus.Registerer, b Build) *Metrics {
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	f := promauto.With(r)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "slipway_build_info", Help: "What is running; always 1.",
		ConstLabels: prometheus.Labels{
			"version": b.Version, "revision": b.Revision, "goversion": runtime.Version(), "onnxruntime": b.ONNXRuntime,
		},
	}, func() float64 { return 1 })
	return &Metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "slipway_requests_total", Help: "Predictions answered, by status code.",
		}, []string{"model", "version", "protocol", "code"}),
		duration: f.NewHistogramVec(histogram("slipway_request_duration_seconds",
			"Time from the request's headers to the response's last byte."), []string{"model", "version", "protocol"}),
		inFlight: f.NewGauge(prometheus.GaugeOpts{
			Name: "slipway_requests_in_flight", Help: "Predictions under way.",
		}),
		models:     newModels(f),
		repository: newRepository(f),
		references: map[versionLabels]int{},
	}
}

// histogram has classic buckets for every Prometheus and native ones for those
// that scrape them.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: seconds,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// Began counts a prediction in flight.
func (m *Metrics) Began() { m.inFlight.Inc() }

// Request is a prediction that was answered. Model and Version are empty when
// the request named none that is loaded.
type Request struct {
	Model, Version, Protocol, Code string
	Duration                       time.Duration
}

// Answered counts a prediction that Began. A version that has gone while it answered
// does not bring its series back.
func (m *Metrics) Answered(r Request) {
	m.inFlight.Dec()
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.references[versionLabels{r.Model, r.Version}] == 0 {
		r.Model, r.Version = "", ""
	}
	m.requests.WithLabelValues(r.Model, r.Version, r.Protocol, r.Code).Inc()
	m.duration.WithLabelValues(r.Model, r.Version, r.Protocol).Observe(r.Duration.Seconds())
}
