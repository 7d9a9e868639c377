package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer/progress"
	"slipway/server/transfer/store"
)

// Published is what has become of a bundle.
type Published struct {
	Model   string `json:"model"`
	Version int64  `json:"version"`
	Already bool   `json:"already"` // an earlier one had this very content
}

// Options say how a publisher tells how far it is.
type Options struct {
	Log      *slog.Logger
	Terminal io.Writer // where a progress bar is drawn; nil: progress is logged
}

// errBare is of a model that has no versions.
var errBare = errors.New("the model lies there as a single file; move it into a folder 1 first")

// errTaken is of a number that somebody else has taken meanwhile.
var errTaken = errors.New("the version is there already")

// destination is one model of a repository.
type destination interface {
	// versions are the numbers that are taken, in no order.
	versions(ctx context.Context) ([]int64, error)
	// manifest is what a version says that it has; nothing when it does not say.
	manifest(ctx context.Context, version int64) ([]byte, error)
	// put writes a bundle, or goes on with one that was not written to its end. It is
	// errTaken when the number has another.
	put(ctx context.Context, version int64, b *source, m *progress.Meter) error
	// whole tells whether a version of this bundle has all its files.
	whole(ctx context.Context, version int64, b *source) (bool, error)
	close() error
}

// Publish makes the bundle in a folder the next version of the model in the
// repository to, a folder or a URL: file, s3, gs or azblob.
func Publish(ctx context.Context, folder, to, model string, o Options) (published Published, err error) {
	if err := bundle.CheckModelName(model); err != nil {
		return Published{}, fmt.Errorf("publish %s: %w", folder, err)
	}
	b, err := readBundle(ctx, folder)
	if err != nil {
		return Published{}, fmt.Errorf("publish %s: %w", folder, err)
	}
	d, err := open(ctx, to, model)
	if err == nil {
		defer func() { err = errors.Join(err, d.close()) }()
		published, err = put(ctx, d, b, o)
	}
	if err != nil {
		return Published{}, fmt.Errorf("publish %s as %s: %w", folder, model, err)
	}
	published.Model = model
	return published, nil
}

func open(ctx context.Context, to, model string) (destination, error) {
	if !strings.Contains(to, "://") {
		return &folder{filepath.Join(to, model)}, nil
	}
	u, err := url.Parse(to)
	if err != nil {
		return nil, errors.Unwrap(err) // the text around it has the whole URL, with what is secret in it
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" {
			return nil, fmt.Errorf("a file URL has three slashes, file:///%s%s", u.Host, u.Path)
		}
		return &folder{filepath.Join(filepath.FromSlash(u.Path), model)}, nil
	case "s3", "gs", "azblob":
		opened, err := store.Open(ctx, u)
		if err != nil {
			return nil, err
		}
		return &bucket{opened, strings.TrimPrefix(path.Join(u.Path, model), "/") + "/"}, nil
	}
	return nil, fmt.Errorf("scheme %q is none of file, s3, gs, azblob", u.Scheme)
}

// put takes the version that the content has already, or the next number.
func put(ctx context.Context, d destination, b *source, o Options) (Published, error) {
	for {
		versions, err := d.versions(ctx)
		if err != nil {
			return Published{}, fmt.Errorf("look for versions: %w", err)
		}
		version, found, err := find(ctx, d, versions, b)
		if err != nil {
			return Published{}, err
		}
		if found {
			whole, err := d.whole(ctx, version, b)
			if err != nil || whole {
				return Published{Version: version, Already: true}, err
			}
		} else if version = 1; len(versions) > 0 {
			version = slices.Max(versions) + 1
		}
		if err = write(ctx, d, version, b, o); err == nil {
			return Published{Version: version}, nil
		}
		if !errors.Is(err, errTaken) {
			return Published{}, fmt.Errorf("write version %d: %w", version, err)
		}
	}
}

func write(ctx context.Context, d destination, version int64, b *source, o Options) error {
	m := progress.Start(progress.Work{
		Verb: "publish", Message: "publishing", Subject: []slog.Attr{slog.String("bundle", b.folder), slog.Int64("version", version)},
		Total: b.size, Log: o.Log, Terminal: o.Terminal,
	})
	defer m.Stop()
	return d.put(ctx, version, b, m)
}

// find looks for a version of the very same content, the newest first.
func find(ctx context.Context, d destination, versions []int64, b *source) (int64, bool, error) {
	for _, version := range slices.Backward(slices.Sorted(slices.Values(versions))) {
		manifest, err := d.manifest(ctx, version)
		if err != nil {
			return 0, false, fmt.Errorf("read the manifest of version %d: %w", version, err)
		}
		if b.isOf(manifest) {
			return version, true, nil
		}
	}
	return 0, false, nil
}
