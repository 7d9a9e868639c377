package publish

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

const (
	unfinished = ".publish-" // prefix of names that no reader looks at
	abandoned  = 24 * time.Hour
)

// folder is a model's folder of a repository.
type folder struct{ path string }

func (f *folder) close() error { return nil }

func (f *folder) versions(context.Context) ([]int64, error) {
	for _, path := range []string{filepath.Join(f.path, bundle.ModelFile), f.path + bundle.ModelSuffix} {
		if _, err := os.Stat(path); err == nil {
			return nil, errBare
		}
	}
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var versions []int64
	for _, entry := range entries {
		if n, ok := bundle.ParseVersion(entry.Name()); ok {
			versions = append(versions, n)
		}
	}
	return versions, err
}

func (f *folder) manifest(_ context.Context, version int64) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(f.path, strconv.FormatInt(version, 10), bundle.ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// complete is true of each version: it was renamed when it was.
func (f *folder) complete(context.Context, int64, *content) (bool, error) { return true, nil }

func (f *folder) put(ctx context.Context, version int64, c *content, m *transfer.Meter) (err error) {
	to, err := transfer.OpenFolder(f.path)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, to.Close())
		if err != nil {
			_ = os.Remove(f.path) // an empty one is no model; one that has versions stays
		}
	}()
	if err := to.Sweep(unfinished, abandoned); err != nil {
		return err
	}
	part, err := to.MkdirTemp(unfinished)
	if err != nil {
		return err
	}
	if err = write(ctx, to, part, c, m); err == nil {
		err = to.Install(part, strconv.FormatInt(version, 10))
	}
	if err == nil {
		return nil
	}
	if removeErr := to.RemoveAll(part); removeErr != nil || !errors.Is(err, fs.ErrExist) {
		return errors.Join(err, removeErr)
	}
	return errTaken
}

// write copies the bundle into a folder of its own.
func write(ctx context.Context, to *transfer.Folder, part string, c *content, m *transfer.Meter) error {
	for _, name := range append(c.names(), c.signatures...) {
		from, err := c.open(name)
		if err != nil {
			return err
		}
		_, _, err = to.Write(ctx, path.Join(part, name), m.Reader(ctx, from))
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	_, _, err := to.Write(ctx, path.Join(part, bundle.ManifestFile), bytes.NewReader(c.manifest))
	return err
}
