package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"slipway/server/config"
	"slipway/server/grpcapi"
	"slipway/server/httpapi"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

type serveCommand struct {
	options
}

// Run serves until SIGTERM or SIGINT.
func (s serveCommand) Run() error {
	c, err := s.configuration()
	if err != nil {
		return err
	}
	processors, err := fitProcessors()
	if err != nil {
		return err
	}
	if err := onnx.Init(c.ONNXRuntime.Library); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	defer context.AfterFunc(ctx, func() { endAnyway(c.Shutdown) })()
	stopTracing, err := startTracing(ctx, c.Tracing)
	if err != nil {
		return errors.Join(err, onnx.Close())
	}
	access := telemetry.NewLines(os.Stderr)
	a, err := newApp(c, processors, telemetry.NewLogger(os.Stderr, c.Log.Level), telemetry.NewLogger(access, c.Log.Level))
	if err == nil {
		err = a.run(ctx)
	}
	return errors.Join(err, access.Flush(), stopTracing(), onnx.Close())
}

// endAnyway ends a process that has not ended by itself well after its grace
// period: a run that is stuck inside ONNX Runtime cannot be stopped.
func endAnyway(s config.Shutdown) {
	time.Sleep(s.Delay + s.GracePeriod + 3*time.Second)
	fmt.Fprintln(os.Stderr, "slipway: still running after shutdown.gracePeriod; ending without it")
	os.Exit(1)
}

// startTracing sends spans if there is somewhere to send them. What it returns
// sends those that are left, for five seconds at most.
func startTracing(ctx context.Context, t config.Tracing) (stop func() error, err error) {
	if t.Endpoint == "" {
		return func() error { return nil }, nil
	}
	flush, err := telemetry.StartTracing(ctx, t.Endpoint, t.SampleRatio, version)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return flush(ctx)
	}, err
}

// app is one server: its doors and the models behind them.
type app struct {
	config     config.Config
	processors int
	log        *slog.Logger
	catalog    *serving.Catalog
	http       *httpapi.API
	grpc       *grpcapi.API
	registry   *prometheus.Registry
	doors      []door
}

// newApp takes the addresses, so that a port in use is an error before anything is loaded.
func newApp(c config.Config, processors int, log, access *slog.Logger) (*app, error) {
	apiKeys, err := keys(c)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{Version: version, Revision: revision, ONNXRuntime: onnx.Version()})
	catalog := serving.NewCatalog(catalogOptions(c, processors), log, metrics)
	a := &app{
		config: c, processors: processors, log: log, catalog: catalog, registry: registry,
		http: &httpapi.API{
			Catalog: catalog, Keys: apiKeys, Metrics: metrics, Log: log, Access: access,
			MaxBodyBytes: c.HTTP.MaxBodyBytes, Version: version, Tracing: c.Tracing.Endpoint != "",
		},
		grpc: &grpcapi.API{
			Catalog: catalog, Keys: apiKeys, Metrics: metrics, Log: log,
			MaxMessageBytes: c.GRPC.MaxMessageBytes, Version: version, Tracing: c.Tracing.Endpoint != "",
		},
	}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

// run serves until ctx is done, then drains. It answers probes while the
// models are being loaded.
func (a *app) run(ctx context.Context) error {
	failed := make(chan error, len(a.doors))
	for _, d := range a.doors {
		go func() { failed <- d.serve() }()
	}
	a.log.With(a.addresses()...).Info("serving", "version", version, "onnxruntime", onnx.Version(),
		"processors", a.processors, "repository", a.config.Models,
		"control", string(a.config.Repository.Control), "keys", keyNames(a.http.Keys))

	following, stopFollowing := context.WithCancel(ctx)
	defer stopFollowing()
	followed, err := a.load(following)
	waiting := len(a.doors)
	if err == nil {
		select {
		case <-ctx.Done():
			a.drain()
		case err = <-failed:
			waiting--
		}
	}
	stopFollowing()
	err = errors.Join(err, a.stop(failed, waiting, followed))
	a.log.Info("stopped")
	return err
}

// load makes the repository's models current and, if they are to follow it,
// goes on doing so until ctx is done; followed is closed after that.
func (a *app) load(ctx context.Context) (followed <-chan struct{}, err error) {
	done := make(chan struct{})
	switch r := a.config.Repository; r.Control {
	case config.ControlExplicit:
		err = a.catalog.LoadOnly(ctx, r.Load)
	case config.ControlNone:
		err = a.catalog.Load(ctx)
	case config.ControlPoll:
		w := repository.NewWatcher(a.config.Models, r.PollInterval)
		state, first := w.Next(ctx)
		if first != nil {
			err = first
			break
		}
		a.catalog.Apply(ctx, state)
		go func() {
			defer close(done)
			a.catalog.Follow(ctx, w)
		}()
		return done, nil
	}
	close(done)
	return done, err
}

// drain goes on answering, not ready, until the Service no longer sends
// requests here.
func (a *app) drain() {
	a.log.Info("shutting down", "delay", a.config.Shutdown.Delay.String(), "grace_period", a.config.Shutdown.GracePeriod.String())
	a.http.Drain()
	a.grpc.Drain()
	time.Sleep(a.config.Shutdown.Delay)
}

// stop closes the doors, then frees the models once nobody loads any, unless
// requests that were cut off may still be using them.
func (a *app) stop(failed <-chan error, waiting int, followed <-chan struct{}) error {
	grace, cancel := context.WithTimeout(context.Background(), a.config.Shutdown.GracePeriod)
	defer cancel()
	var err error
	for _, d := range a.doors {
		err = errors.Join(err, d.stop(grace))
	}
	for range waiting {
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) && !errors.Is(e, grpc.ErrServerStopped) {
			err = errors.Join(err, e)
		}
	}
	<-followed
	if err == nil {
		a.catalog.Close()
	}
	return err
}

func keyNames(k *config.Keys) []string {
	if k == nil {
		return nil
	}
	return k.Names()
}
