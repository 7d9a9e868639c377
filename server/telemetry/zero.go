package telemetry

// answered are the codes of the series that exist at 0 from the load of a version on, by
// protocol: those that alerts and autoscalers look at. Other codes begin at 1.
var answered = map[string][]string{
	"predict": statuses, "v1": statuses, "v2": statuses,
	"grpc": {"OK", "InvalidArgument", "ResourceExhausted", "Internal", "Unavailable", "DeadlineExceeded"},
}

var statuses = []string{"200", "400", "429", "500", "503", "504"}

// zeroLoad makes the series of a version's loads, and zeroRequests those of its requests:
// Prometheus sees an increase only between two values, so a series that begins with the
// first failure hides it.
func (m *models) zeroLoad(v versionLabels) {
	m.loadFailures.WithLabelValues(v.model, v.version)
	m.crashes.WithLabelValues(v.model, v.version)
	m.goldenMismatches.WithLabelValues(v.model, v.version)
}

func (m *Metrics) zeroRequests(v versionLabels) {
	m.models.batchingRefused.WithLabelValues(v.model, v.version)
	m.models.verifyDuration.WithLabelValues(v.model, v.version)
	for protocol, codes := range answered {
		m.duration.WithLabelValues(v.model, v.version, protocol)
		for _, code := range codes {
			m.requests.WithLabelValues(v.model, v.version, protocol, code)
		}
	}
}
