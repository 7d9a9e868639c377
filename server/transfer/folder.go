package transfer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"slipway/server/bundle"
)

// Folder is a folder that others read while it is written into. A file or folder
// is written below a hidden folder inside it, because the Folder may be a mount
// point and a rename works only inside of one, and then renamed whole by Install.
// What a reader sees under its final name is complete and outlasts a power cut.
//
// Names are relative, with slashes, and can't lead out of the folder, not even
// through a symbolic link. Files have the mode 0644 and folders 0755 whatever the
// umask: servers run as other users.
type Folder struct{ *os.Root }

// OpenFolder opens a folder and makes it and its parents if they don't exist.
func OpenFolder(name string) (*Folder, error) {
	root, err := os.OpenRoot(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return &Folder{root}, err
	}
	parent, err := OpenFolder(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	base := filepath.Base(name)
	if err := parent.mkdir(base); err != nil {
		return nil, err
	}
	root, err = parent.OpenRoot(base)
	return &Folder{root}, err
}

// Exists reports whether there is something of that name.
func (f *Folder) Exists(name string) bool {
	_, err := f.Stat(name)
	return err == nil
}

// MkdirAll makes a folder and its parents.
func (f *Folder) MkdirAll(name string) error {
	if f.Exists(name) {
		return nil
	}
	if parent := path.Dir(name); parent != name { // the root is its own
		if err := f.MkdirAll(parent); err != nil {
			return err
		}
	}
	return f.mkdir(name)
}

func (f *Folder) mkdir(name string) error {
	if err := f.Mkdir(name, 0o755); errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	} else if err != nil {
		return err
	}
	return f.allow(name, 0o755)
}

// allow adds what the umask has taken of a mode. It leaves the mode alone otherwise:
// some volumes have fixed ones, and a new folder may have inherited the setgid bit.
func (f *Folder) allow(name string, mode fs.FileMode) error {
	info, err := f.Stat(name)
	if err != nil || info.Mode().Perm()&mode == mode {
		return err
	}
	return f.Chmod(name, info.Mode()|mode)
}

// MkdirTemp makes a folder with a name that begins with the prefix and that no
// other process has.
func (f *Folder) MkdirTemp(prefix string) (name string, err error) {
	name = prefix + rand.Text()
	return name, f.mkdir(name)
}

// Create opens a file with these flags and creates it if it does not exist.
func (f *Folder) Create(name string, flags int) (*os.File, error) {
	file, err := f.OpenFile(name, os.O_CREATE|flags, 0o644)
	if err != nil {
		return nil, err
	}
	if err := f.allow(name, 0o644); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Write writes a new file and returns its size and SHA-256.
func (f *Folder) Write(ctx context.Context, name string, content io.Reader) (size int64, digest string, err error) {
	if err := f.MkdirAll(path.Dir(name)); err != nil {
		return 0, "", err
	}
	file, err := f.Create(name, os.O_EXCL|os.O_WRONLY)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sum := sha256.New()
	if size, err = io.Copy(io.MultiWriter(file, sum), bundle.Cancellable(ctx, content)); err != nil {
		return size, "", err
	}
	return size, hex.EncodeToString(sum.Sum(nil)), file.Sync()
}

// Install renames a file or a folder that is complete. The error is fs.ErrExist if
// there is a folder of that name already; a file is replaced.
func (f *Folder) Install(from, to string) error {
	if err := f.sync(from); err != nil {
		return err
	}
	parent := path.Dir(to)
	if err := f.MkdirAll(parent); err != nil {
		return err
	}
	if err := f.Rename(from, to); err != nil {
		return err
	}
	for ; parent != "."; parent = path.Dir(parent) {
		if err := f.syncOne(parent); err != nil {
			return err
		}
	}
	return f.syncOne(".")
}

// Replace is Install, except that what has the name is put aside before, into the
// folder aside. It is put back if the new one can't take its place.
func (f *Folder) Replace(from, to, aside string) error {
	info, err := f.Stat(to)
	if err != nil || !info.IsDir() {
		return f.Install(from, to)
	}
	old := path.Join(aside, rand.Text())
	if err := f.MkdirAll(aside); err != nil {
		return err
	}
	if err := f.Rename(to, old); err != nil {
		return err
	}
	if err := f.Install(from, to); err != nil {
		return errors.Join(err, f.Rename(old, to))
	}
	return nil
}

// sync writes the folders at and below a name to the disk. Write has done so for
// the files.
func (f *Folder) sync(name string) error {
	return fs.WalkDir(f.FS(), name, func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return f.syncOne(at)
	})
}

func (f *Folder) syncOne(name string) error {
	opened, err := f.Open(name)
	if err != nil {
		return err
	}
	err = opened.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems can't sync a folder
	}
	return errors.Join(err, opened.Close())
}

// Sweep removes folders whose names begin with the prefix and that nobody has
// written into for the given time: their process was killed.
func (f *Folder) Sweep(prefix string, abandoned time.Duration) error {
	entries, err := fs.ReadDir(f.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > abandoned {
			err = f.RemoveAll(entry.Name())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what an earlier run left: %w", err)
		}
	}
	return nil
}
