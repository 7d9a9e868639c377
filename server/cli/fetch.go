package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"slipway/server/config"
	"slipway/server/telemetry"
	"slipway/server/transfer/fetch"
	"slipway/server/transfer/source"
)

type fetchCommand struct {
	Source     string   `arg:"" help:"A repository, a model's versions, a bundle or a single file: a folder, file://, s3://BUCKET/PREFIX, gs://, azblob://, https:// (.onnx, .tar.gz, .tgz) or oci://REGISTRY/REPOSITORY:TAG."`
	Dest       string   `arg:"" help:"Folder of the repository, or a file NAME.onnx if the source is a single ONNX file."`
	SHA256     string   `name:"sha256" help:"SHA-256 that the single file or archive must have. Several files have a MANIFEST.json instead." placeholder:"HEX"`
	Model      string   `help:"Model that the source's bundle, versions or single file become." placeholder:"NAME"`
	Version    int64    `help:"Version of --model that a bundle or single file becomes; 1 if not given." placeholder:"N"`
	HeaderFile string   `help:"File with lines of NAME: VALUE, headers to send to an https source, such as a token." type:"path" placeholder:"FILE"`
	Insecure   bool     `help:"Allow plain http for a web server, and use it for a registry."`
	MaxBytes   byteSize `help:"Most bytes that may be written, unpacked files included, such as 10Gi; if not given, 95% of what the destination's volume has free." placeholder:"SIZE"`
	Retries    int      `help:"Number of tries after a failure, each after a longer pause." default:"5"`
}

// byteSize is a size as Kubernetes writes it.
type byteSize int64

// UnmarshalText reads 1048576 and 1Mi alike.
func (b *byteSize) UnmarshalText(text []byte) error {
	n, err := config.ParseBytes(string(text))
	if err == nil && n == 0 {
		err = errors.New("must be positive")
	}
	*b = byteSize(n)
	return err
}

// Run fetches until everything is there, or until SIGTERM or SIGINT. The next run
// resumes an interrupted one.
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
		Insecure: f.Insecure, MaxBytes: int64(f.MaxBytes), Retries: f.Retries, Log: log, Terminal: terminal,
	})
	return err
}

// diagnostics returns a log and a progress bar for a person at a terminal, or a log
// for what collects a pod's lines.
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
	headers, err := source.ParseHeaders(text)
	if err != nil {
		return nil, fmt.Errorf("read --header-file %s: %w", f.HeaderFile, err)
	}
	return headers, nil
}
