package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"slipway/server/onnx"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

type validateCommand struct {
	options
}

// Run loads what serve would load and says what it found.
func (v validateCommand) Run() error {
	c, err := v.configuration()
	if err != nil {
		return err
	}
	if _, err := keys(c); err != nil {
		return err
	}
	if err := fitProcessors(); err != nil {
		return err
	}
	if err := onnx.Init(c.ONNXRuntime.Library); err != nil {
		return err
	}
	defer onnx.Close()
	log := telemetry.NewLogger(io.Discard, slog.LevelError)
	catalog := serving.NewCatalog(log, telemetry.NewMetrics(prometheus.NewRegistry(), telemetry.Build{}))
	if err := catalog.Load(c.Models, c.DefaultModel, sessionOptions(c)); err != nil {
		return err
	}
	defer catalog.Close()
	for _, m := range catalog.Models() {
		for _, version := range m.Versions {
			fmt.Printf("ok  %s version %s\n", m.Name, version.Number)
		}
	}
	return catalog.Failures()
}
