package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"slipway/server/api"
	"slipway/server/connection"
	"slipway/server/grpcapi"
	"slipway/server/telemetry"
)

// listener is an address and the server that serves it.
type listener struct {
	name   string
	socket *connection.Listener
	serve  func() error                // returns nil after shutdown
	finish func(context.Context) error // waits for the requests in flight, then interrupts the remaining ones

	served chan struct{} // closed when serve has returned; nil before start
}

// start serves, and reports an error that ends it before the listener is stopped.
func (l *listener) start(failed chan<- error) {
	l.served = make(chan struct{})
	go func() {
		defer close(l.served)
		if err := l.serve(); err != nil {
			failed <- fmt.Errorf("%s listener: %w", l.name, err)
		}
	}()
}

// stop ends the connections, then the watch over them. A listener that never served
// is closed.
func (l *listener) stop(ctx context.Context) error {
	defer l.socket.Stop()
	if l.served == nil {
		return nil
	}
	l.socket.SetStall(api.StopStall)
	err := l.finish(ctx)
	<-l.served
	return err
}

// openListeners listens on all addresses. Stopping stops all listeners at the same
// time, then waits for the loading of models to end.
func (a *App) openListeners() error {
	a.undo.push(func(context.Context) error {
		if a.stopLoading != nil {
			<-a.loaded
		}
		return nil
	})
	a.undo.push(a.stopListeners)
	if err := a.openHTTP("http", a.config.HTTP.Address, a.http.Handler(), a.config.HTTP.IdleTimeout); err != nil {
		return err
	}
	if err := a.openHTTP("admin", a.config.AdminAddress(), a.adminHandler(), adminIdle); err != nil {
		return err
	}
	if a.config.GRPC.Address == "" {
		return nil
	}
	return a.openGRPC(a.config.GRPC.Address)
}

func (a *App) stopListeners(ctx context.Context) error {
	a.http.Stop() // and gRPC, which has the same api.API
	errs := make([]error, len(a.listeners))
	var stopping sync.WaitGroup
	for i, l := range a.listeners {
		stopping.Go(func() { errs[i] = l.stop(ctx) })
	}
	stopping.Wait()
	a.grpc.Wait()
	err := errors.Join(errs...)
	a.interrupted.Store(err != nil)
	return err
}

// adminHandler serves both protocols on one port.
func (a *App) adminHandler() http.Handler {
	rest, rpc := a.http.AdminHandler(a.registry), a.grpc.HTTPHandler(a.grpc.Server(true))
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
	return paced(both, a.http.Stopping())
}

// listen listens with bounds on the connections.
func (a *App) listen(name, address string) (*connection.Listener, error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s.address: %w", name, err)
	}
	l := connection.Listen(socket, connection.Options{Most: maxConnections, Stall: writeStall})
	telemetry.RegisterConnections(a.registry, name, l.Open, l.Evicted, l.Stalled)
	return l, nil
}

const (
	// maxConnections of one listener: each takes some 30 KB when it is idle.
	maxConnections = 1000
	// adminIdle is how long a connection for administration stays open without a request:
	// no load balancer is before it.
	adminIdle = 2 * time.Minute
	// writeStall is how long a client may take to read 64 KiB of a response.
	writeStall = 30 * time.Second
)

func (a *App) openHTTP(name, address string, h http.Handler, idle time.Duration) error {
	socket, err := a.listen(name, address)
	if err != nil {
		return err
	}
	s := &http.Server{
		Handler:           h,
		MaxHeaderBytes:    32 << 10,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // a client that sends its body slowly is disconnected
		IdleTimeout:       idle,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(name == "admin") // for gRPC
	a.listeners = append(a.listeners, &listener{
		name: name, socket: socket,
		serve: func() error {
			if err := s.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
		finish: func(ctx context.Context) error {
			if err := s.Shutdown(ctx); err != nil {
				return errors.Join(fmt.Errorf("%s requests were still in flight at the end of shutdown.gracePeriod: %w", name, err), s.Close())
			}
			return nil
		},
	})
	return nil
}

func (a *App) openGRPC(address string) error {
	socket, err := a.listen("grpc", address)
	if err != nil {
		return err
	}
	calls := grpcapi.Listen(socket)
	socket.OnSweep(calls.Sweep)
	s := a.grpc.Server(false)
	a.listeners = append(a.listeners, &listener{
		name: "grpc", socket: socket,
		serve: func() error {
			if err := s.Serve(calls); !errors.Is(err, grpc.ErrServerStopped) {
				return err
			}
			return nil
		},
		finish: func(ctx context.Context) error { return a.finishGRPC(ctx, s) },
	})
	return nil
}

func (a *App) finishGRPC(ctx context.Context, s *grpc.Server) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Stop()
		<-done
		return fmt.Errorf("gRPC calls were still in flight at the end of shutdown.gracePeriod: %w", ctx.Err())
	}
}

// warnOfOpenAdministration logs that whoever reaches the port may change the models.
func (a *App) warnOfOpenAdministration() {
	host, _, _ := net.SplitHostPort(a.config.AdminAddress()) // it was listened on
	if a.keys != nil || host == "localhost" || net.ParseIP(host).IsLoopback() {
		return
	}
	a.log.Warn("administration needs no API key: who reaches admin.address can load and unload models; "+
		"set auth.keysFile, or let a network policy say who reaches it", "address", a.config.AdminAddress())
}

// addresses returns the listeners' names and addresses, for the log.
func (a *App) addresses() []any {
	var all []any
	for _, l := range a.listeners {
		all = append(all, l.name, l.socket.Addr().String())
	}
	return all
}
