// traefik with its Kubernetes Ingress provider, ping and nothing else: no other providers, plugins, ACME, metrics or
// tracing, whose libraries are most of its build. The set-up is that of Traefik's own cmd/traefik.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
	"github.com/traefik/paerser/cli"
	"github.com/traefik/traefik/v3/cmd"
	tcli "github.com/traefik/traefik/v3/pkg/cli"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/config/static"
	"github.com/traefik/traefik/v3/pkg/metrics"
	"github.com/traefik/traefik/v3/pkg/provider/aggregator"
	"github.com/traefik/traefik/v3/pkg/provider/traefik"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server"
	"github.com/traefik/traefik/v3/pkg/server/middleware"
	"github.com/traefik/traefik/v3/pkg/server/service"
	"github.com/traefik/traefik/v3/pkg/tcp"
	"github.com/traefik/traefik/v3/pkg/tls"
)

func main() {
	log.Logger = zerolog.New(os.Stderr).With().Timestamp().Logger().Level(zerolog.InfoLevel)
	zerolog.DefaultContextLogger = &log.Logger
	config := cmd.NewTraefikConfiguration()
	err := cli.Execute(&cli.Command{
		Name:          "traefik",
		Description:   "Traefik with its Kubernetes Ingress provider",
		Configuration: config,
		Resources:     []cli.ResourceLoader{&tcli.FlagLoader{}},
		Run:           func([]string) error { return run(&config.Configuration) },
	})
	if err != nil {
		log.Fatal().Err(err).Msg("Traefik failed")
	}
}

func run(config *static.Configuration) error {
	config.SetEffectiveConfiguration()
	if err := config.ValidateConfiguration(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if config.Ping != nil {
		config.Ping.WithContext(ctx)
	}
	s, err := newServer(config)
	if err != nil {
		return err
	}
	s.Start(ctx)
	defer s.Close()
	s.Wait()
	return nil
}

func newServer(config *static.Configuration) (*server.Server, error) {
	pool := safe.NewPool(context.Background())
	providers := aggregator.NewProviderAggregator(*config.Providers)
	if err := providers.AddProvider(traefik.New(*config)); err != nil {
		return nil, fmt.Errorf("add the internal provider: %w", err)
	}
	registry := metrics.NewVoidRegistry()
	observability := middleware.NewObservabilityMgr(*config, registry, nil, nil, nil, nil)
	tcpEntryPoints, err := server.NewTCPEntryPoints(config.EntryPoints, config.HostResolver, registry)
	if err != nil {
		return nil, err
	}
	udpEntryPoints, err := server.NewUDPEntryPoints(config.EntryPoints)
	if err != nil {
		return nil, err
	}
	certificates := tls.NewManager()
	transports := service.NewRoundTripperManager(nil)
	dialers := tcp.NewDialerManager(nil)
	services := service.NewManagerFactory(*config, pool, observability, transports, nil)
	routers := server.NewRouterFactory(*config, services, certificates, observability, nil, dialers)
	watcher := server.NewConfigurationWatcher(pool, providers, entryPoints(config), "internal")
	watcher.AddListener(func(c dynamic.Configuration) {
		certificates.UpdateConfigs(context.Background(), c.TLS.Stores, c.TLS.Options, c.TLS.Certificates)
	})
	watcher.AddListener(func(c dynamic.Configuration) {
		transports.Update(c.HTTP.ServersTransports)
		dialers.Update(c.TCP.ServersTransports)
	})
	watcher.AddListener(func(c dynamic.Configuration) {
		tcpRouters, udpRouters := routers.CreateRouters(runtime.NewConfig(c))
		tcpEntryPoints.Switch(tcpRouters)
		udpEntryPoints.Switch(udpRouters)
	})
	return server.NewServer(pool, tcpEntryPoints, udpEntryPoints, watcher, observability), nil
}

// entryPoints returns the names of those that serve routers by default.
func entryPoints(config *static.Configuration) []string {
	var names []string
	for name := range config.EntryPoints {
		if name != static.DefaultInternalEntryPointName {
			names = append(names, name)
		}
	}
	return names
}
