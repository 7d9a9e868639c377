package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// alwaysRead is the size below which a file is read each time: where times
	// are coarse and inodes used again, as on NFS, only the content shows a small
	// change. A larger file is read again when its size, time or inode has changed.
	alwaysRead = 1 << 20
	// alwaysReadMost bounds what is read each time of one bundle's small files.
	alwaysReadMost = 64 << 20
	// coarse is how long after its time a large file may still change without
	// getting another. So long it is read each time too.
	coarse = 3 * time.Second
	// maxBytes bounds a bundle: a file with a hole of a petabyte would take a scan for ever.
	maxBytes = 64 << 30
)

// ParseSHA256 reads a SHA-256 in hexadecimal digits of either case, with or
// without the prefix sha256: before it, and returns the digits in lower case.
func ParseSHA256(text string) (digest string, ok bool) {
	digest = strings.TrimPrefix(strings.ToLower(text), sha256Prefix)
	sum, err := hex.DecodeString(digest)
	return digest, err == nil && len(sum) == sha256.Size
}

const sha256Prefix = "sha256:"

// Digests returns the SHA-256, in hexadecimal digits, of each file of the bundle
// in a folder by its path in it. Links may lead anywhere.
func Digests(ctx context.Context, dir string) (map[string]string, error) {
	names, err := Files(dir)
	if err != nil {
		return nil, err
	}
	files, err := new(Digester).Files(ctx, anywhere(dir), ".", names)
	return ByName(files), err
}

// Fingerprint is one digest of the names and contents of a bundle's files.
func Fingerprint(digests map[string]string) string {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		fmt.Fprintf(all, "%s %q\n", digests[name], name)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// File is a file of a bundle as it was read.
type File struct {
	Name    string // its path in the bundle
	Digest  string // SHA-256, in hexadecimal digits
	Stamp   Stamp
	Settled bool // as long as the stamp is the same the file is
}

// Stamp is what tells without reading it whether a file may have changed.
type Stamp struct {
	Size          int64
	Modified      int64 // in nanoseconds
	Device, Inode uint64
}

func stampOf(info fs.FileInfo) Stamp {
	s := Stamp{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if system, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Device, s.Inode = system.Dev, system.Ino
	}
	return s
}

// Digester computes digests and remembers those of large files, so that a folder
// can be looked at often. It is for one goroutine at a time.
type Digester struct{ known map[string]File } // settled ones, by path

// Files reads the named files of a folder of f.
func (d *Digester) Files(ctx context.Context, f *Folder, dir string, names []string) ([]File, error) {
	files := make([]File, 0, len(names))
	var total, small int64 // bytes
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		info, err := f.Stat(path)
		if err != nil {
			return nil, err
		}
		if total += info.Size(); info.Size() > maxBytes || total > maxBytes {
			return nil, fmt.Errorf("%s: the bundle has more than %d bytes, the limit of a bundle", f.Path(dir), int64(maxBytes))
		}
		if info.Size() < alwaysRead {
			small += info.Size()
		}
		file, err := d.read(ctx, f, path, info, info.Size() < alwaysRead && small <= alwaysReadMost)
		if err != nil {
			return nil, err
		}
		file.Name = name
		files = append(files, file)
	}
	return files, nil
}

// Unchanged returns an error that names the first of the files of a folder of f that
// is another than it was.
func Unchanged(ctx context.Context, f *Folder, dir string, files []File) error {
	d := Digester{known: map[string]File{}}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = file.Name
		if file.Settled {
			d.known[f.Path(filepath.Join(dir, filepath.FromSlash(file.Name)))] = file
		}
	}
	now, err := d.Files(ctx, f, dir, names)
	if err != nil {
		return err
	}
	for i, file := range now {
		if file.Digest != files[i].Digest {
			return fmt.Errorf("%s: has changed", f.Path(filepath.Join(dir, filepath.FromSlash(file.Name))))
		}
	}
	return nil
}

// ByName returns the digests of files by name.
func ByName(files []File) map[string]string {
	digests := make(map[string]string, len(files))
	for _, file := range files {
		digests[file.Name] = file.Digest
	}
	return digests
}

// read reads a file unless it looks as it did and needn't be read each time.
func (d *Digester) read(ctx context.Context, f *Folder, name string, info fs.FileInfo, always bool) (File, error) {
	path := f.Path(name)
	if known, ok := d.known[path]; ok && !always && known.Stamp == stampOf(info) {
		return known, nil
	}
	file, err := f.Open(name)
	if err != nil {
		return File{}, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return File{}, err
	}
	began := time.Now()
	sum := sha256.New()
	// A file that grows all the while has an end all the same.
	if _, err := io.Copy(sum, Cancellable(ctx, io.LimitReader(file, min(info.Size(), maxBytes)))); err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	read := File{Digest: hex.EncodeToString(sum.Sum(nil)), Stamp: stampOf(info)}
	if read.Settled = !always && began.Sub(info.ModTime()).Abs() > coarse; read.Settled {
		if d.known == nil {
			d.known = map[string]File{}
		}
		d.known[path] = read
	}
	return read, nil
}

// Forget drops the digests of files that no longer exist.
func (d *Digester) Forget() {
	maps.DeleteFunc(d.known, func(path string, _ File) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Cancellable returns a reader of r whose reads fail with the context's cause once
// it is done: a large file takes a while.
func Cancellable(ctx context.Context, r io.Reader) io.Reader { return cancellable{ctx, r} }

type cancellable struct {
	ctx context.Context
	io.Reader
}

func (r cancellable) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
