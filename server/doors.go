package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// door is a listener and what answers there.
type door struct {
	name    string
	address net.Addr
	serve   func() error
	stop    func(context.Context) error // waits for the requests in flight, then cuts those that are left off
	close   func() error                // of a door that never served
}

// open takes the addresses of all doors.
func (a *app) open() (err error) {
	defer func() {
		if err != nil {
			for _, d := range a.doors {
				err = errors.Join(err, d.close())
			}
		}
	}()
	if err := a.openHTTP("http", a.config.HTTP.Address, a.http.Handler()); err != nil {
		return err
	}
	if err := a.openHTTP("admin", a.config.Admin.Address, a.adminHandler()); err != nil {
		return err
	}
	if a.config.GRPC.Address == "" {
		return nil
	}
	return a.openGRPC(a.config.GRPC.Address)
}

// adminHandler has both protocols on one port.
func (a *app) adminHandler() http.Handler {
	rest, rpc := a.http.AdminHandler(a.registry), a.grpc.Server(true)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

func (a *app) openHTTP(name, address string, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s.address: %w", name, err)
	}
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute, // a client that sends its body drop by drop is cut off
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(name == "admin") // its gRPC
	a.doors = append(a.doors, door{
		name: name, address: l.Addr(),
		serve: func() error { return s.Serve(l) },
		stop: func(ctx context.Context) error {
			if err := s.Shutdown(ctx); err != nil {
				return errors.Join(fmt.Errorf("%s requests were still in flight at the end of shutdown.gracePeriod: %w", name, err), s.Close())
			}
			return nil
		},
		close: l.Close,
	})
	return nil
}

func (a *app) openGRPC(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on grpc.address: %w", err)
	}
	s := a.grpc.Server(false)
	a.doors = append(a.doors, door{
		name: "grpc", address: l.Addr(),
		serve: func() error {
			if err := s.Serve(l); err != nil {
				return err
			}
			return grpc.ErrServerStopped
		},
		stop:  func(ctx context.Context) error { return stopGRPC(ctx, s) },
		close: l.Close,
	})
	return nil
}

func stopGRPC(ctx context.Context, s *grpc.Server) error {
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

// addresses is where each door is, for the log.
func (a *app) addresses() []any {
	var all []any
	for _, d := range a.doors {
		all = append(all, d.name, d.address.String())
	}
	return all
}
