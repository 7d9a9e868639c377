package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// RegisterConnections registers the series of a listener's connections.
func RegisterConnections(r prometheus.Registerer, listener string, open func() int, evicted, stalled func() int64) {
	f, labels := promauto.With(r), prometheus.Labels{"listener": listener}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "slipway_connections", Help: "Open connections.", ConstLabels: labels,
	}, func() float64 { return float64(open()) })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "slipway_connections_evicted_total", Help: "Connections closed because there were too many.", ConstLabels: labels,
	}, func() float64 { return float64(evicted()) })
	f.NewCounterFunc(prometheus.CounterOpts{
		Name: "slipway_connections_stalled_total", Help: "Connections closed because the client did not read.", ConstLabels: labels,
	}, func() float64 { return float64(stalled()) })
}
