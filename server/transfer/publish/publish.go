package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

// Published is the version that a bundle has become.
type Published struct {
	Model   string `json:"model"`
	Version int64  `json:"version"`
	Already bool   `json:"already"` // it had this very content before
}

// Options are how progress is reported.
type Options struct {
	Log      *slog.Logger
	Terminal io.Writer // where a progress bar is drawn; nil: progress is logged
}

// errBare is of a model that has no versions.
var errBare = errors.New("the model lies there as a single file; move it into a folder 1 first")

// errTaken is of a number that another publisher has taken meanwhile.
var errTaken = errors.New("the version exists already")

// destination is one model of a repository.
type destination interface {
	// versions returns the numbers that are taken, in no order.
	versions(ctx context.Context) ([]int64, error)
	// manifest returns a version's manifest, or nothing if it has none.
	manifest(ctx context.Context, version int64) ([]byte, error)
	// put writes the content, or resumes an interrupted put of it. The error is
	// errTaken if the version has another content.
	put(ctx context.Context, version int64, c *content, m *transfer.Meter) error
	// complete reports whether a version of this content has all its files.
	complete(ctx context.Context, version int64, c *content) (bool, error)
	close() error
}

// Publish makes the bundle in a folder the next version of the model in the
// repository to: a folder or a URL of the schemes file, s3, gs and azblob.
func Publish(ctx context.Context, folder, to, model string, o Options) (published Published, err error) {
	if err := bundle.CheckModelName(model); err != nil {
		return Published{}, fmt.Errorf("publish %s: %w", folder, err)
	}
	redactor := transfer.NewRedactor(to)
	c, err := readContent(ctx, folder)
	if err != nil {
		return Published{}, fmt.Errorf("publish %s: %w", folder, err)
	}
	d, err := open(ctx, to, model)
	if err == nil {
		defer func() { err = errors.Join(err, d.close()) }()
		published, err = put(ctx, d, c, o)
	}
	if err != nil {
		return Published{}, redactor.Error(fmt.Errorf("publish %s as %s: %w", folder, model, err))
	}
	published.Model = model
	return published, nil
}

func open(ctx context.Context, to, model string) (destination, error) {
	location, err := transfer.ParseDestination(to)
	if err != nil {
		return nil, err
	}
	if location.Scheme == transfer.File {
		return &folder{filepath.Join(location.Path, model)}, nil
	}
	opened, err := location.OpenBucket(ctx)
	if err != nil {
		return nil, err
	}
	return &bucket{opened, strings.TrimPrefix(path.Join(location.URL.Path, model), "/") + "/"}, nil
}

// put returns the version that has the content already, or writes the next one.
func put(ctx context.Context, d destination, c *content, o Options) (Published, error) {
	for {
		versions, err := d.versions(ctx)
		if err != nil {
			return Published{}, fmt.Errorf("look for versions: %w", err)
		}
		version, found, err := find(ctx, d, versions, c)
		if err != nil {
			return Published{}, err
		}
		if found {
			complete, err := d.complete(ctx, version, c)
			if err != nil || complete {
				return Published{Version: version, Already: true}, err
			}
		} else if version = 1; len(versions) > 0 {
			version = slices.Max(versions) + 1
		}
		if err = putVersion(ctx, d, version, c, o); err == nil {
			return Published{Version: version}, nil
		}
		if !errors.Is(err, errTaken) {
			return Published{}, fmt.Errorf("write version %d: %w", version, err)
		}
	}
}

func putVersion(ctx context.Context, d destination, version int64, c *content, o Options) error {
	m := transfer.StartMeter(transfer.Work{
		Verb: "publish", Message: "publishing", Subject: []slog.Attr{slog.String("bundle", c.folder), slog.Int64("version", version)},
		Total: c.size, Log: o.Log, Terminal: o.Terminal,
	})
	defer m.Stop()
	return d.put(ctx, version, c, m)
}

// find looks for a version of the same content, the newest first.
func find(ctx context.Context, d destination, versions []int64, c *content) (int64, bool, error) {
	for _, version := range slices.Backward(slices.Sorted(slices.Values(versions))) {
		manifest, err := d.manifest(ctx, version)
		if err != nil {
			return 0, false, fmt.Errorf("read the manifest of version %d: %w", version, err)
		}
		if c.sameAs(manifest) {
			return version, true, nil
		}
	}
	return 0, false, nil
}
