package telemetry

import (
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Build says what is running.
type Build struct{ Version, Revision, ONNXRuntime string }

// Metrics are the server's series. Labels come from closed sets: models and
// versions of the repository, protocols and status codes of ours.
type Metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	models   models

	mu      sync.RWMutex
	answers map[answers]*answered // looked up once: finding a series by its labels takes long
	live    map[versionLabels]int // how many loaded versions report under these labels
}

// answers are the labels of predictions, and answered their series.
type answers struct {
	model, version, protocol, code string
}

type answered struct {
	requests prometheus.Counter
	duration prometheus.Observer
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
			"Time from the request's headers to the answer's last byte."), []string{"model", "version", "protocol"}),
		inFlight: f.NewGauge(prometheus.GaugeOpts{
			Name: "slipway_requests_in_flight", Help: "Predictions under way.",
		}),
		models:  newModels(f),
		answers: map[answers]*answered{},
		live:    map[versionLabels]int{},
	}
}

// histogram has classic buckets for every Prometheus and native ones for those
// that ask for them.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: seconds,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

// Began counts a prediction that is under way.
func (m *Metrics) Began() { m.inFlight.Inc() }

// Request is a prediction that was answered. Model and Version are empty when
// the request named none that is loaded.
type Request struct {
	Model, Version, Protocol, Code string
	Duration                       time.Duration
}

// Answered counts a prediction that Began.
func (m *Metrics) Answered(r Request) {
	m.inFlight.Dec()
	series := m.series(answers{r.Model, r.Version, r.Protocol, r.Code})
	series.requests.Inc()
	series.duration.Observe(r.Duration.Seconds())
}

func (m *Metrics) series(of answers) *answered {
	m.mu.RLock()
	series := m.answers[of]
	m.mu.RUnlock()
	if series != nil {
		return series
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live[versionLabels{of.model, of.version}] == 0 {
		// Its version went while it was answered; its series must not come back.
		of.model, of.version = "", ""
	}
	series = &answered{
		requests: m.requests.WithLabelValues(of.model, of.version, of.protocol, of.code),
		duration: m.duration.WithLabelValues(of.model, of.version, of.protocol),
	}
	m.answers[of] = series
	return series
}
