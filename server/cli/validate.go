package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"slipway/server/app"
	"slipway/server/config"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

type validateCommand struct {
	options
}

// Run loads what serve would load and prints what it found.
func (v validateCommand) Run() error {
	c, err := v.configuration()
	if err != nil {
		return err
	}
	if _, err := c.Auth.Keys(); err != nil {
		return err
	}
	return v.withCatalog(c, func(catalog *serving.Catalog, _ serving.Options, problems []error) error {
		for _, m := range catalog.Models() {
			for _, version := range m.Versions {
				fmt.Printf("ok  %s version %s\n", m.Name, version.Number)
			}
		}
		return errors.Join(append(problems, verdict(catalog))...)
	})
}

// verdict returns nil when everything that is to be served can be.
func verdict(catalog *serving.Catalog) error {
	return errors.Join(catalog.Failures(), catalog.Ready())
}

// withCatalog loads the repository's models without serving them and calls use with
// them, the options they were loaded with, and the repository's other problems.
func (o options) withCatalog(c config.Config, use func(*serving.Catalog, serving.Options, []error) error) (err error) {
	processors, err := fitProcessors()
	if err != nil {
		return err
	}
	child, err := trialCommandLine()
	if err != nil {
		return err
	}
	if err := onnx.Init(c.ONNXRuntime.Library); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, onnx.Close()) }()
	state, err := repository.Scan(c.Models)
	if err != nil {
		return err
	}
	quiet := telemetry.NewLogger(io.Discard, slog.LevelError)
	with := servingOptions(c, processors)
	if c.Trial.Enabled {
		if with.Trials, err = app.NewTrials(c, child, nil); err != nil {
			return err
		}
	}
	catalog := serving.NewCatalog(with, quiet, telemetry.NewMetrics(prometheus.NewRegistry(), telemetry.Build{}))
	defer catalog.Close()
	catalog.Apply(context.Background(), state)
	return use(catalog, with, state.Problems)
}
