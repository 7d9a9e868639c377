package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"slipway/server/bundle"
	"slipway/server/transfer"
	"slipway/server/transfer/source"
)

const parallel = 4 // downloads at once

// Options are what to bring and how.
type Options struct {
	SHA256   string        // of the one object that the source is; empty: not checked
	Model    string        // the model that a bundle or a single file is installed as; empty: the source's own
	Version  int64         // of Model; 0: 1
	Headers  http.Header   // sent to an https source and to no host that it redirects to
	Insecure bool          // plain HTTP is allowed, and spoken to a registry
	Retries  int           // after a failure that brought nothing new
	Backoff  time.Duration // before the first retry, doubled for each that follows; 0: half a second
	Stall    time.Duration // a connection that brings too little in so long is closed; 0: half a minute
	MaxBytes int64         // most that is written, what is unpacked included; 0: what the volume has free, but for a twentieth
	Log      *slog.Logger
	Terminal io.Writer // where a progress bar is drawn; nil: progress is logged
}

// Report is what a fetch did.
type Report struct {
	Fetched int   // objects downloaded
	Present int   // objects that were there already
	Bytes   int64 // downloaded
}

// Fetch brings what lies at from into the folder to, or into the file to if from is
// a single ONNX file and to ends with .onnx.
func Fetch(ctx context.Context, from, to string, o Options) (Report, error) {
	started := time.Now()
	if o.Backoff == 0 {
		o.Backoff = 500 * time.Millisecond
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	shown := transfer.Redact(from)
	redactor := transfer.NewRedactor(from, secretsOf(o.Headers)...)
	o.Log = redactor.Logger(o.Log)
	report, err := fetch(ctx, from, to, o)
	if err != nil {
		return report, redactor.Error(fmt.Errorf("fetch %s: %w%s", shown, err, advice(ctx, from, err)))
	}
	if report.Fetched == 0 {
		o.Log.Info("already there", "source", shown, "destination", to, "objects", report.Present)
		return report, nil
	}
	took := time.Since(started)
	o.Log.Info("fetched", "source", shown, "destination", to, "objects", report.Fetched, "present", report.Present,
		"bytes", report.Bytes, "megabytes_per_second", transfer.Rate(report.Bytes, took), "took", took.Round(time.Millisecond).String())
	return report, nil
}

func fetch(ctx context.Context, from, to string, o Options) (report Report, err error) {
	if err := o.validate(); err != nil {
		return report, err
	}
	location, err := transfer.ParseSource(from)
	if err != nil {
		return report, err
	}
	src, err := source.Open(ctx, location, source.Options{Headers: o.Headers, Insecure: o.Insecure, Stall: o.Stall})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	objects, err := list(ctx, src, o)
	if err != nil {
		return report, err
	}
	j := &job{Options: o, source: src, shown: transfer.Redact(from), root: to}
	if err := j.plan(objects); err != nil {
		return report, err
	}
	// An image is pushed at once.
	if location.Scheme != transfer.OCI {
		if err := j.leaveOutUnfinished(ctx); err != nil {
			return report, err
		}
	}
	if err := check(j.units); err != nil {
		return report, err
	}
	if j.folder, err = transfer.OpenFolder(j.root); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, j.folder.Close()) }()
	unlock, err := lock(ctx, j.folder, o.Log)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return j.run(ctx)
}

// secretsOf returns the values of headers, and a token without the word before it.
func secretsOf(headers http.Header) (secrets []string) {
	for _, values := range headers {
		for _, value := range values {
			secrets = append(secrets, value, value[strings.LastIndexByte(value, ' ')+1:])
		}
	}
	return secrets
}

// advice is what to do next, if the error itself does not contain it.
func advice(ctx context.Context, from string, err error) string {
	if ctx.Err() != nil {
		return "; what came is kept, and the next run resumes from there"
	}
	if isFull(err) {
		return "; the volume is full: free some space or fetch into a larger one and run again; what was downloaded and can be resumed is kept in " + partsFolder
	}
	scheme, _, _ := strings.Cut(from, "://")
	if text := source.Advice(scheme, err); text != "" {
		return "; " + text
	}
	if errors.Is(err, errGaveUp) {
		return "; run again to resume from where it stopped"
	}
	return ""
}

func (o *Options) validate() error {
	if o.SHA256 != "" {
		digest, ok := bundle.ParseSHA256(o.SHA256)
		if !ok {
			return fmt.Errorf("sha256 %q: expected 64 hexadecimal digits", o.SHA256)
		}
		o.SHA256 = digest
	}
	switch {
	case o.Version < 0:
		return fmt.Errorf("version %d: expected a positive whole number", o.Version)
	case o.Version > 0 && o.Model == "":
		return errors.New("a version without a model; add --model NAME")
	case o.MaxBytes < 0:
		return fmt.Errorf("max-bytes %d: must not be negative", o.MaxBytes)
	case o.Retries < 0:
		return fmt.Errorf("retries %d: must not be negative", o.Retries)
	case o.Model != "":
		return bundle.CheckModelName(o.Model)
	}
	return nil
}

// list returns what the source has, with the SHA-256 that the caller expects.
func list(ctx context.Context, s source.Source, o Options) ([]source.Object, error) {
	var objects []source.Object
	err := retry(ctx, o, func() (_ bool, err error) {
		objects, err = s.List(ctx)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	objects = slices.DeleteFunc(objects, func(o source.Object) bool { return bundle.HiddenPath(o.Name) && bundle.CheckPath(o.Name) == nil })
	if len(objects) == 0 {
		return nil, errors.New("nothing there that a server would read; check the address")
	}
	for _, object := range objects {
		if err := checkName(object.Name); err != nil {
			return nil, source.Permanent(fmt.Errorf("the source has a %w; nothing was installed", err))
		}
	}
	if o.SHA256 == "" {
		return objects, nil
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("a sha256 is of one file and here are %d; publish a %s with them instead", len(objects), bundle.ManifestFile)
	}
	if known := objects[0].SHA256; known != "" && known != o.SHA256 {
		return nil, fmt.Errorf("the source has sha256 %s, expected %s", known, o.SHA256)
	}
	objects[0].SHA256 = o.SHA256
	return objects, nil
}
