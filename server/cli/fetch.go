package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"slipway/server/telemetry"
	"slipway/server/transfer/fetch"
)

type fetchCommand struct {
	Source     string `arg:"" help:"A repository, a bundle or a model: a folder, file://, s3://BUCKET/PREFIX, gs://, azblob://, https:// (.onnx, .tar.gz, .tgz) or oci://REGISTRY/REPOSITORY:TAG."`
	Dest       string `arg:"" help:"The repository's folder; or a file, NAME.onnx, for a single one."`
	SHA256     string `name:"sha256" help:"What the one file must have; several have a MANIFEST.json." placeholder:"HEX"`
	Model      string `help:"The model that a bundle, its versions or a single file is laid as." placeholder:"NAME"`
	Version    int64  `help:"The version of --model; 1 when not given." placeholder:"N"`
	HeaderFile string `help:"Lines of NAME: VALUE to send to an https source, such as a token." type:"path" placeholder:"FILE"`
	Insecure   bool   `help:"Allow plain http, and speak it to a registry."`
	Retries    int    `help:"Tries after a failure, each after a longer pause." default:"5"`
}

// Run fetches until it is done, or until SIGTERM or SIGINT; the next run goes on from there.
func (f fetchCommand) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	headers, err := f.headers()
	if err != nil {
		return err
	}
	log, terminal := diagnostics()
	_, err = fetch.Fetch(ctx, f.Source, f.Dest, fetch.Options{
		SHA256: f.SHA256, Model: f.Model, Version: f.Version, Headers: headers,
		Insecure: f.Insecure, Retries: f.Retries, Log: log, Terminal: terminal,
	})
	return err
}

// diagnostics are for people at a terminal, and else for what reads a pod's log.
func diagnostics() (log *slog.Logger, terminal io.Writer) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(slog.NewTextHandler(os.Stderr, nil)), os.Stderr
	}
	return telemetry.NewLogger(os.Stderr, slog.LevelInfo), nil
}

func (f fetchCommand) headers() (http.Header, error) {
	if f.HeaderFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.HeaderFile)
	if err != nil {
		return nil, fmt.Errorf("read --header-file: %w", err)
	}
	headers, err := fetch.ParseHeaders(text)
	if err != nil {
		return nil, fmt.Errorf("read --header-file %s: %w", f.HeaderFile, err)
	}
	return headers, nil
}
