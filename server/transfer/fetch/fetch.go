package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/server/transfer/progress"
)

const (
	workFolder = ".fetch"
	parallel   = 4 // downloads at once
)

// Options say what to bring and how.
type Options struct {
	SHA256   string        // of the one object that the source is, in hex; empty: not checked
	Model    string        // the name under which a bundle or a single file is laid; empty: the source's own
	Version  int64         // of Model; 0: 1
	Headers  http.Header   // sent to an https source and to no host that it redirects to
	Insecure bool          // plain HTTP is allowed, and spoken to a registry
	Retries  int           // after a failure that brought nothing new
	Backoff  time.Duration // before the first retry, doubled by each that follows; 0: half a second
	Stall    time.Duration // a connection that brings nothing for so long is given up; 0: half a minute
	Log      *slog.Logger
	Terminal io.Writer // where a progress bar is drawn; nil: progress is logged
}

// Report is what a fetch did.
type Report struct {
	Fetched int   // objects brought
	Present int   // objects that were there already
	Bytes   int64 // brought over the network
	Took    time.Duration
}

// Fetch brings what lies at from into the folder to, or into the file to when
// from is a single ONNX file and to ends with .onnx.
func Fetch(ctx context.Context, from, to string, o Options) (Report, error) {
	started := time.Now()
	if o.Backoff == 0 {
		o.Backoff = 500 * time.Millisecond
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Second
	}
	shown := redact(from)
	report, err := fetch(ctx, from, to, o)
	report.Took = time.Since(started)
	if err != nil {
		return report, fmt.Errorf("fetch %s: %w%s", shown, err, advice(ctx, from, err))
	}
	if report.Fetched == 0 {
		o.Log.Info("already there", "source", shown, "destination", to, "objects", report.Present)
		return report, nil
	}
	o.Log.Info("fetched", "source", shown, "destination", to, "objects", report.Fetched, "present", report.Present,
		"bytes", report.Bytes, "megabytesPerSecond", progress.Rate(report.Bytes, report.Took), "took", report.Took.Round(time.Millisecond).String())
	return report, nil
}

func fetch(ctx context.Context, from, to string, o Options) (report Report, err error) {
	if err := o.validate(); err != nil {
		return report, err
	}
	source, err := open(ctx, from, o)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	objects, err := list(ctx, source, o)
	if err != nil {
		return report, err
	}
	j, err := newJob(from, to, o, source, objects)
	if err != nil {
		return report, err
	}
	unlock, err := lock(ctx, j.work, o.Log)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return j.run(ctx)
}

func (o *Options) validate() error {
	o.SHA256 = strings.ToLower(strings.TrimPrefix(o.SHA256, "sha256:"))
	switch {
	case o.SHA256 != "" && !isSHA256(o.SHA256):
		return fmt.Errorf("sha256 %q: want 64 hexadecimal digits", o.SHA256)
	case o.Version < 0:
		return fmt.Errorf("version %d: want a positive whole number", o.Version)
	case o.Version > 0 && o.Model == "":
		return errors.New("a version without a model; add --model NAME")
	case o.Model != "" && (!isName(o.Model) || strings.ContainsAny(o.Model, "/:?#%")):
		return fmt.Errorf("model %q: must not begin with a dot nor contain any of / : ? # %%", o.Model)
	case o.Retries < 0:
		return fmt.Errorf("retries %d: must not be negative", o.Retries)
	}
	return nil
}

// list asks the source what it has and pins what the caller knows of it.
func list(ctx context.Context, s source, o Options) ([]object, error) {
	var objects []object
	err := retry(ctx, o, func() (_ bool, err error) {
		objects, err = s.list(ctx)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		if err := checkPath(object.name); err != nil {
			return nil, err
		}
	}
	if o.SHA256 == "" {
		return objects, nil
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("a sha256 is of one file and here are %d; publish a MANIFEST.json with them instead", len(objects))
	}
	if known := objects[0].sha256; known != "" && known != o.SHA256 {
		return nil, fmt.Errorf("the source has sha256 %s, expected %s", known, o.SHA256)
	}
	objects[0].sha256 = o.SHA256
	return objects, nil
}

// newJob finds out where in the repository the objects belong.
func newJob(from, to string, o Options, s source, objects []object) (*job, error) {
	j := &job{Options: o, source: s, shown: redact(from), objects: objects, root: to}
	single := len(objects) == 1 && objects[0].packing == plain && s.single()
	switch {
	case strings.HasSuffix(to, onnxSuffix) && !single:
		return nil, fmt.Errorf("destination %s names a file, and the source is not a single .onnx file; name a folder", to)
	case strings.HasSuffix(to, onnxSuffix) && o.Model != "":
		return nil, fmt.Errorf("destination %s names a file, so --model %s has no place; name the repository's folder", to, o.Model)
	case strings.HasSuffix(to, onnxSuffix):
		j.root, j.asFile = filepath.Dir(to), true
		objects[0].name = filepath.Base(to)
	case single && o.Model != "":
		objects[0].name = modelFile
	}
	j.work = filepath.Join(j.root, workFolder)
	if _, err := j.early(); err != nil {
		return nil, err
	}
	return j, os.MkdirAll(j.work, 0o755)
}

// early is an error when the objects' names alone show that they have no place.
func (j *job) early() (base string, err error) {
	var names []string
	for _, object := range j.objects {
		if object.packing != plain {
			return "", nil // only its content will show
		}
		names = append(names, object.name)
	}
	return j.base(names)
}

func (j *job) base(names []string) (string, error) {
	if j.asFile {
		return "", nil
	}
	return layout(names, j.Model, j.Version)
}
