package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/buildinfo"
	"slipway/server/config"
	"slipway/server/grpcapi"
	"slipway/server/httpapi"
	"slipway/server/onnx"
	"slipway/server/serving"
	"slipway/server/telemetry"
)

// Options of a server.
type Options struct {
	Config  config.Config // validated
	Serving serving.Options
	Trial   []string  // the command line of a trial's child; nil: models are not tried
	Log     io.Writer // JSON lines
}

// App is one server.
type App struct {
	config      config.Config
	processors  int
	log         *slog.Logger
	catalog     *serving.Catalog
	http        *httpapi.API
	grpc        *grpcapi.API
	registry    *prometheus.Registry
	budget      *admission.Budget
	memoryLimit int64 // of the container
	dividing    sync.Mutex
	opening     int // models that are being opened; guarded by dividing
	listeners   []*listener
	keys        *config.Keys // nil: open to everybody

	undo        stack
	failed      chan error // of a listener, or of the first load
	loading     context.Context
	stopLoading context.CancelFunc
	loaded      chan struct{} // closed when loading has ended
	interrupted atomic.Bool   // a request was interrupted and may still use its model

	keysInterval time.Duration
	following    sync.WaitGroup
}

// New returns a server that does not serve yet. It opens the listeners, so that a
// port in use is an error before any model is loaded. Stop closes all that New has
// opened; New itself closes it when it fails.
func New(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{
		config: o.Config, processors: o.Serving.Processors,
		registry: prometheus.NewRegistry(), loaded: make(chan struct{}), keysInterval: keysInterval,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.undo.unwind(ctx))
		}
	}()
	access := a.openLogs(o.Log)
	if err := a.startTracing(ctx); err != nil {
		return nil, err
	}
	a.keys, err = o.Config.Auth.Keys()
	if err != nil {
		return nil, err
	}
	a.undo.push(func(context.Context) error { a.following.Wait(); return nil })
	gin.SetMode(gin.ReleaseMode)
	metrics := telemetry.NewMetrics(a.registry, telemetry.Build{
		Version: buildinfo.Version, Revision: buildinfo.Revision, ONNXRuntime: onnx.Version(),
	})
	if err := a.startMemory(); err != nil {
		return nil, err
	}
	o.Serving.Memory, o.Serving.Freed, o.Serving.Opening = a.budget, a.divideMemory, a.openingModel
	if o.Trial != nil && o.Config.Trial.Enabled {
		if o.Serving.Trials, err = NewTrials(o.Config, o.Trial, a.budget); err != nil {
			return nil, err
		}
	}
	a.catalog = serving.NewCatalog(o.Serving, a.log, metrics)
	a.undo.push(a.closeCatalog)
	proxies, err := o.Config.HTTP.Proxies()
	if err != nil {
		return nil, err
	}
	shared := api.New(api.Options{
		TrustedProxies: proxies,
		Catalog:        a.catalog, Keys: a.keys, Metrics: metrics, Log: a.log, Access: access,
		Version: buildinfo.Version, Tracing: o.Config.Tracing.Endpoint != "",
		Memory: a.budget, MaxResponseBytes: o.Config.Memory.MaxResponseBytes,
	})
	allowed := o.Config.HTTP.CORS
	a.http = &httpapi.API{
		API: shared, MaxBodyBytes: o.Config.HTTP.MaxBodyBytes,
		CORS: httpapi.CORS{Origins: allowed.AllowedOrigins, Methods: allowed.AllowedMethods, Headers: allowed.AllowedHeaders},
	}
	a.grpc = &grpcapi.API{API: shared, MaxMessageBytes: o.Config.GRPC.MaxMessageBytes}
	if err := a.openListeners(); err != nil {
		return nil, err
	}
	return a, nil
}

// openLogs makes the server's log, and that of requests, of which lines are collected.
// Neither waits for who reads them.
func (a *App) openLogs(to io.Writer) (access *slog.Logger) {
	log, requests := telemetry.NewLines(to, 0), telemetry.NewLines(to, telemetry.FlushAfter)
	a.log = telemetry.NewLogger(log, a.config.Log.Level)
	a.undo.push(func(context.Context) error {
		err := requests.Close()
		a.log.Info("stopped")
		return errors.Join(err, log.Close())
	})
	telemetry.RegisterLog(a.registry, func() int64 { return log.Dropped() + requests.Dropped() })
	return telemetry.NewLogger(requests, a.config.Log.Level)
}

// startTracing exports spans if an endpoint is configured. Stopping exports the
// remaining ones, for five seconds at most.
func (a *App) startTracing(ctx context.Context) error {
	t := a.config.Tracing
	if t.Endpoint == "" {
		return nil
	}
	flush, err := telemetry.StartTracing(ctx, t.Endpoint, t.SampleRatio, buildinfo.Version)
	if err != nil {
		return err
	}
	a.undo.push(func(context.Context) error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return flush(ctx)
	})
	return nil
}

// closeCatalog frees the models, unless interrupted requests or late runs may still use
// them.
func (a *App) closeCatalog(context.Context) error {
	if a.interrupted.Load() || a.catalog.LeftBehind() {
		return nil
	}
	a.catalog.Close()
	return nil
}

// LeftBehind reports that a stopped server does not wait for ONNX Runtime, which still
// opens a model. The library must not be unloaded then.
func (a *App) LeftBehind() bool { return a.catalog.LeftBehind() }

// Run serves until ctx is done or a part of the server has failed, then stops.
func (a *App) Run(ctx context.Context) error {
	a.Start()
	var failed error
	select {
	case <-ctx.Done():
		a.Drain()
	case failed = <-a.failed:
	}
	return errors.Join(failed, a.Stop())
}

// Start serves, and loads the models meanwhile: probes are served from the start.
func (a *App) Start() {
	a.loading, a.stopLoading = context.WithCancel(context.Background())
	a.failed = make(chan error, len(a.listeners)+1)
	for _, l := range a.listeners {
		l.start(a.failed)
	}
	a.log.With(a.addresses()...).Info("serving", "version", buildinfo.Version, "onnxruntime", onnx.Version(),
		"processors", a.processors, "repository", a.config.Models,
		"control", string(a.config.Repository.Control), "keys", a.keyNames())
	a.warnOfOpenAdministration()
	a.followKeys()
	go func() {
		defer close(a.loaded)
		if err := a.load(); err != nil {
			a.failed <- err
		}
	}()
}

// Drain reports not ready and keeps serving until the Service no longer sends
// requests here.
func (a *App) Drain() {
	a.log.Info("shutting down", "delay", a.config.Shutdown.Delay.String(), "grace_period", a.config.Shutdown.GracePeriod.String())
	a.http.Drain() // and gRPC, which has the same api.API
	time.Sleep(a.config.Shutdown.Delay)
}

// Stop lets the requests in flight finish within shutdown.gracePeriod and
// releases everything. The error joins the errors of all parts.
func (a *App) Stop() error {
	grace, cancel := context.WithTimeout(context.Background(), a.config.Shutdown.GracePeriod)
	defer cancel()
	if a.stopLoading != nil {
		a.stopLoading()
	}
	if a.catalog != nil {
		a.catalog.StopLoading() // by request too: stopping waits for no load
	}
	return a.undo.unwind(grace)
}
