package publish

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"slipway/server/bundle"
	"slipway/server/transfer/progress"
)

const (
	underWay = ".publish-" // how names begin that no reader looks at
	// Whoever was at work on it for so long is not any more.
	abandoned = 24 * time.Hour
)

// folder is a model's folder of a repository.
type folder struct{ path string }

func (f *folder) close() error { return nil }

func (f *folder) versions(context.Context) ([]int64, error) {
	for _, path := range []string{filepath.Join(f.path, bundle.ModelFile), f.path + ".onnx"} {
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
	content, err := os.ReadFile(filepath.Join(f.version(version), bundle.ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

// whole is true of each that has its name.
func (f *folder) whole(context.Context, int64, *source) (bool, error) { return true, nil }

func (f *folder) version(n int64) string { return filepath.Join(f.path, strconv.FormatInt(n, 10)) }

// put writes beside and renames.
func (f *folder) put(ctx context.Context, version int64, b *source, m *progress.Meter) (err error) {
	if err := mkdir(f.path); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.path) // an empty one is no model; one that has versions stays
		}
	}()
	if err := f.sweep(); err != nil {
		return err
	}
	part, err := os.MkdirTemp(f.path, underWay)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	if err := os.Chmod(part, 0o755); err != nil { // servers run as other users
		return err
	}
	if err := writeFiles(ctx, part, b, m); err != nil {
		return err
	}
	if err := os.Rename(part, f.version(version)); errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
		return errTaken
	} else if err != nil {
		return err
	}
	return syncFolder(f.path)
}

// sweep removes what was left by those that were killed.
func (f *folder) sweep() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), underWay) {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > abandoned {
			err = os.RemoveAll(filepath.Join(f.path, entry.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func writeFiles(ctx context.Context, to string, b *source, m *progress.Meter) error {
	for _, name := range b.names() {
		from, err := b.open(name)
		if err != nil {
			return err
		}
		err = writeFile(filepath.Join(to, filepath.FromSlash(name)), m.Reader(ctx, from))
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(to, bundle.ManifestFile), strings.NewReader(string(b.manifest))); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(path)
	})
}

// writeFile returns when the content outlasts a power cut.
func writeFile(path string, from io.Reader) (err error) {
	if err := mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if _, err := io.Copy(file, from); err != nil {
		return err
	}
	return file.Sync()
}

// mkdir makes a folder, and those that it lies in, that all may read, whatever the
// umask.
func mkdir(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); errors.Is(err, fs.ErrExist) {
		return nil // somebody else was faster
	} else if err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}

func syncFolder(path string) error {
	opened, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(opened.Sync(), opened.Close())
}
