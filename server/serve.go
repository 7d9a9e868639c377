package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"slipway/server/config"
	"slipway/server/httpapi"
	"slipway/server/onnx"
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
	if err := fitProcessors(); err != nil {
		return err
	}
	if err := onnx.Init(c.ONNXRuntime.Library); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	a, err := newApp(c, telemetry.NewLogger(os.Stderr, c.Log.Level))
	if err != nil {
		return errors.Join(err, onnx.Close())
	}
	return errors.Join(a.run(ctx), onnx.Close())
}

// app is one server: two listeners and the models behind them.
type app struct {
	config      config.Config
	log         *slog.Logger
	catalog     *serving.Catalog
	api         *httpapi.API
	registry    *prometheus.Registry
	http, admin net.Listener
}

// newApp takes the addresses, so that a port in use is an error before anything is loaded.
func newApp(c config.Config, log *slog.Logger) (*app, error) {
	apiKeys, err := keys(c)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry, telemetry.Build{Version: version, Revision: revision, ONNXRuntime: onnx.Version()})
	catalog := serving.NewCatalog(log, metrics)
	a := &app{
		config: c, log: log, catalog: catalog, registry: registry,
		api: &httpapi.API{
			Catalog: catalog, Keys: apiKeys, Metrics: metrics, Log: log,
			MaxBodyBytes: c.HTTP.MaxBodyBytes, Version: version,
		},
	}
	if a.http, err = net.Listen("tcp", c.HTTP.Address); err != nil {
		return nil, fmt.Errorf("listen on http.address: %w", err)
	}
	if a.admin, err = net.Listen("tcp", c.Admin.Address); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on admin.address: %w", err), a.http.Close())
	}
	return a, nil
}

// run serves until ctx is done, then drains. It answers probes while the
// models are being loaded.
func (a *app) run(ctx context.Context) error {
	public := a.server(a.api.Handler())
	admin := a.server(a.api.AdminHandler(a.registry))
	failed := make(chan error, 2)
	go func() { failed <- public.Serve(a.http) }()
	go func() { failed <- admin.Serve(a.admin) }()
	a.log.Info("serving", "http", a.http.Addr().String(), "admin", a.admin.Addr().String(),
		"version", version, "onnxruntime", onnx.Version(), "processors", runtime.GOMAXPROCS(0),
		"intra_op_threads", sessionOptions(a.config).IntraOpThreads, "keys", keyNames(a.api.Keys))

	err := a.catalog.Load(a.config.Models, a.config.DefaultModel, sessionOptions(a.config))
	waiting := 2
	if err == nil {
		select {
		case <-ctx.Done():
			a.drain()
		case err = <-failed:
			waiting--
		}
	}
	grace, cancel := context.WithTimeout(context.Background(), a.config.Shutdown.GracePeriod)
	defer cancel()
	stopErr := errors.Join(stop(grace, public), stop(grace, admin))
	for range waiting {
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
			stopErr = errors.Join(stopErr, e)
		}
	}
	err = errors.Join(err, stopErr)
	if stopErr == nil {
		err = errors.Join(err, a.catalog.Close())
	}
	a.log.Info("stopped")
	return err
}

// drain goes on answering, not ready, until the Service no longer sends
// requests here.
func (a *app) drain() {
	a.log.Info("shutting down", "delay", a.config.Shutdown.Delay.String(), "grace_period", a.config.Shutdown.GracePeriod.String())
	a.api.Drain()
	time.Sleep(a.config.Shutdown.Delay)
}

// stop waits for the requests in flight, then cuts those that are left off.
func stop(ctx context.Context, s *http.Server) error {
	if err := s.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests were still in flight at the end of shutdown.gracePeriod: %w", err), s.Close())
	}
	return nil
}

func (a *app) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // a client that sends its body drop by drop is cut off
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}
}

func keyNames(k *config.Keys) []string {
	if k == nil {
		return nil
	}
	return k.Names()
}
