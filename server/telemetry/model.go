package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// models are the series of each version of each model.
type models struct {
	loaded           *prometheus.GaugeVec
	loadDuration     *prometheus.HistogramVec
	loadFailures     *prometheus.CounterVec
	crashes          *prometheus.CounterVec
	goldenMismatches *prometheus.CounterVec
	verifyDuration   *prometheus.HistogramVec
	batchingRefused  *prometheus.GaugeVec

	queueDuration *prometheus.HistogramVec
	queueRequests *prometheus.GaugeVec
	queueBytes    *prometheus.GaugeVec
	rejected      *prometheus.CounterVec
	canceled      *prometheus.CounterVec
	run           *prometheus.HistogramVec
	runFailures   *prometheus.CounterVec
	lateRuns      *prometheus.GaugeVec
	batchSize     *prometheus.HistogramVec
}

func newModels(f promauto.Factory) models {
	labels := []string{"model", "version"}
	counter := func(name, help string, more ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append(labels[:2:2], more...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return f.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	times := func(name, help string) *prometheus.HistogramVec {
		return f.NewHistogramVec(histogram(name, help), labels)
	}
	sizes := histogram("slipway_batch_size", "Rows of one run.")
	sizes.Buckets = prometheus.ExponentialBuckets(1, 2, 10)
	return models{
		loaded:           gauge("slipway_model_loaded", "1 while the version is loaded, 0 when it could not be."),
		loadDuration:     times("slipway_model_load_duration_seconds", "Time of a load: open, warm up, reproduce the golden answers, verify batching."),
		loadFailures:     counter("slipway_model_load_failures_total", "Loads that failed."),
		crashes:          counter("slipway_model_crashes_total", "Deaths of the server before this start at which the version was running."),
		goldenMismatches: counter("slipway_golden_mismatches_total", "Golden answers that a version did not reproduce."),
		verifyDuration:   times("slipway_batching_verify_duration_seconds", "Time of comparing batched with single runs at a load."),
		batchingRefused:  gauge("slipway_batching_refused", "1 while the version runs without the batching that its configuration enables."),

		queueDuration: times("slipway_queue_duration_seconds", "Time from a request's arrival at its model to its run."),
		queueRequests: gauge("slipway_queue_requests", "Requests that wait for a run."),
		queueBytes:    gauge("slipway_queue_bytes", "Bytes of the tensors that wait for a run."),
		rejected:      counter("slipway_rejected_total", "Requests answered 429 at once: too many, too large, or too late.", "reason"),
		canceled:      counter("slipway_canceled_total", "Requests whose client had gone or whose deadline had passed.", "where"),
		run:           times("slipway_run_duration_seconds", "Time of one run in ONNX Runtime."),
		runFailures:   counter("slipway_run_failures_total", "Runs that failed."),
		lateRuns:      gauge("slipway_late_runs", "Runs that go on although nobody waits for them: ONNX Runtime did not end them in time."),
		batchSize:     f.NewHistogramVec(sizes, labels),
	}
}

// versionLabels are what the series of a version have in common.
type versionLabels struct{ model, version string }

// Retain keeps the series of a version until Release is called as often. Each part
// of the server that may report under these labels retains them: the catalog while
// the version is in the repository, failed or not, and the version while it is
// loaded.
func (m *Metrics) Retain(model, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.references[versionLabels{model, version}]++
}

// Release removes the series of a version once nobody retains them. Versions come
// and go for as long as the process lives, so what is kept of each would add up.
func (m *Metrics) Release(model, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	labels := versionLabels{model, version}
	if m.references[labels]--; m.references[labels] <= 0 {
		delete(m.references, labels)
		m.remove(labels)
	}
}

// remove removes every series of a version.
func (m *Metrics) remove(v versionLabels) {
	these := prometheus.Labels{"model": v.model, "version": v.version}
	for _, all := range []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}{
		m.requests, m.duration,
		m.models.loaded, m.models.loadDuration, m.models.loadFailures, m.models.crashes, m.models.goldenMismatches,
		m.models.verifyDuration, m.models.batchingRefused,
		m.models.queueDuration, m.models.queueRequests, m.models.queueBytes, m.models.rejected, m.models.canceled,
		m.models.run, m.models.runFailures, m.models.lateRuns, m.models.batchSize,
	} {
		all.DeletePartialMatch(these)
	}
}

// Load is one attempt to load a version.
type Load struct {
	metrics        *models
	model, version string
	began          time.Time
}

// BeginLoad starts the clock of a load.
func (m *Metrics) BeginLoad(model, version string) Load {
	m.models.zeroLoad(versionLabels{model, version})
	return Load{metrics: &m.models, model: model, version: version, began: time.Now()}
}

// Done records that the version is ready and returns how long that took.
func (l Load) Done() time.Duration {
	took := time.Since(l.began)
	l.metrics.loaded.WithLabelValues(l.model, l.version).Set(1)
	l.metrics.loadDuration.WithLabelValues(l.model, l.version).Observe(took.Seconds())
	return took
}

// Failed records that the version could not be loaded.
func (l Load) Failed() {
	l.metrics.loadFailures.WithLabelValues(l.model, l.version).Inc()
	l.metrics.loaded.WithLabelValues(l.model, l.version).Add(0)
}

// Crashed counts a death of the server at which the version was running.
func (m *Metrics) Crashed(model, version string) {
	m.models.crashes.WithLabelValues(model, version).Inc()
}

// GoldenMismatch counts a golden answer that was not reproduced.
func (l Load) GoldenMismatch() { l.metrics.goldenMismatches.WithLabelValues(l.model, l.version).Inc() }

// Verified records how long comparing batched with single runs took, and whether
// batching was refused.
func (l Load) Verified(took time.Duration, refused bool) {
	l.metrics.verifyDuration.WithLabelValues(l.model, l.version).Observe(took.Seconds())
	value := 0.
	if refused {
		value = 1
	}
	l.metrics.batchingRefused.WithLabelValues(l.model, l.version).Set(value)
}

// Version is the series of one loaded version, looked up once.
type Version struct {
	metrics *Metrics
	labels  versionLabels

	queued             prometheus.Observer
	requests, bytes    prometheus.Gauge
	run, size          prometheus.Observer
	runFailures        prometheus.Counter
	lateRuns           prometheus.Gauge
	rejected, canceled map[string]prometheus.Counter
}

// NewVersion makes the series of a loaded version and retains them until Close.
func (m *Metrics) NewVersion(model, version string) *Version {
	m.Retain(model, version)
	m.zeroRequests(versionLabels{model, version})
	v := &Version{
		metrics: m, labels: versionLabels{model, version},
		queued:      m.models.queueDuration.WithLabelValues(model, version),
		requests:    m.models.queueRequests.WithLabelValues(model, version),
		bytes:       m.models.queueBytes.WithLabelValues(model, version),
		run:         m.models.run.WithLabelValues(model, version),
		size:        m.models.batchSize.WithLabelValues(model, version),
		runFailures: m.models.runFailures.WithLabelValues(model, version),
		lateRuns:    m.models.lateRuns.WithLabelValues(model, version),
		rejected:    map[string]prometheus.Counter{}, canceled: map[string]prometheus.Counter{},
	}
	for _, reason := range []string{"requests", "bytes", "deadline"} {
		v.rejected[reason] = m.models.rejected.WithLabelValues(model, version, reason)
	}
	for _, where := range []string{"queue", "run"} {
		v.canceled[where] = m.models.canceled.WithLabelValues(model, version, where)
	}
	return v
}

// Depth records what waits now.
func (v *Version) Depth(requests int, bytes int64) {
	v.requests.Set(float64(requests))
	v.bytes.Set(float64(bytes))
}

// Waited observes a request that left the queue for a run.
func (v *Version) Waited(d time.Duration) { v.queued.Observe(d.Seconds()) }

// Ran observes one run.
func (v *Version) Ran(rows, _ int, took time.Duration, err error) {
	v.size.Observe(float64(rows))
	v.run.Observe(took.Seconds())
	if err != nil {
		v.runFailures.Inc()
	}
}

// Rejected counts a request that was answered 429.
func (v *Version) Rejected(reason string) { v.rejected[reason].Inc() }

// Canceled counts a request that was cancelled or late, in the queue or in the run.
func (v *Version) Canceled(where string) { v.canceled[where].Inc() }

// Late records how many runs go on although nobody waits for them.
func (v *Version) Late(runs int) { v.lateRuns.Set(float64(runs)) }

// BatchingRefused records that the version is no longer batched.
func (v *Version) BatchingRefused(error) {
	v.metrics.models.batchingRefused.WithLabelValues(v.labels.model, v.labels.version).Set(1)
}

// Close releases the version's series.
func (v *Version) Close() { v.metrics.Release(v.labels.model, v.labels.version) }
