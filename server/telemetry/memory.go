package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Memory reads what requests and models hold, in bytes.
type Memory struct {
	Stages        []StageMemory
	Limit         func() int64 // of what requests hold together
	Models        func() int64
	ModelsRefused func() int64
}

// StageMemory reads what requests hold in one stage, in bytes, and how often they
// were refused more.
type StageMemory struct {
	Stage         string
	Held, Refused func() int64
}

// RegisterMemory registers the series of the memory that requests and models hold.
func RegisterMemory(r prometheus.Registerer, m Memory) {
	f := promauto.With(r)
	gauge := func(name, help string, read func() int64, labels prometheus.Labels) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(read()) })
	}
	counter := func(name, help string, read func() int64, labels prometheus.Labels) {
		f.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(read()) })
	}
	gauge("slipway_memory_budget_bytes", "Bytes that requests may hold together.", m.Limit, nil)
	for _, s := range m.Stages {
		stage := prometheus.Labels{"stage": s.Stage}
		gauge("slipway_memory_held_bytes", "Bytes that requests hold, by stage.", s.Held, stage)
		counter("slipway_memory_refused_total", "Requests refused for lack of memory, by the stage they were in.", s.Refused, stage)
	}
	gauge("slipway_model_memory_bytes", "Bytes that models hold for weights and runs.", m.Models, nil)
	counter("slipway_model_memory_refused_total", "Loads and runs that failed for lack of memory.", m.ModelsRefused, nil)
}
