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
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	return new(Digester).Digests(ctx, anywhere(dir), ".", files)
}

// Fingerprint is one digest of the names and contents of a bundle's files.
func Fingerprint(digests map[string]string) string {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		fmt.Fprintf(all, "%s %q\n", digests[name], name)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// Digester computes digests and remembers those of large files, so that a folder
// can be looked at often. It is for one goroutine at a time.
type Digester struct{ known map[string]remembered } // by path

// remembered is the digest of a file that had this size, time and inode.
type remembered struct {
	info   fs.FileInfo
	digest string
}

// Digests returns the SHA-256 of the named files of a folder of f by name.
func (d *Digester) Digests(ctx context.Context, f *Folder, dir string, files []string) (map[string]string, error) {
	digests := make(map[string]string, len(files))
	var total, small int64 // bytes
	for _, name := range files {
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
		digest, err := d.digest(ctx, f, path, info, info.Size() < alwaysRead && small <= alwaysReadMost)
		if err != nil {
			return nil, err
		}
		digests[name] = digest
	}
	return digests, nil
}

// digest reads a file unless it looks as it did and needn't be read each time.
func (d *Digester) digest(ctx context.Context, f *Folder, name string, info fs.FileInfo, always bool) (string, error) {
	path := f.Path(name)
	if known, ok := d.known[path]; ok && !always && known.describes(info) {
		return known.digest, nil
	}
	file, err := f.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return "", err
	}
	began := time.Now()
	sum := sha256.New()
	// A file that grows all the while has an end all the same.
	if _, err := io.Copy(sum, Cancellable(ctx, io.LimitReader(file, min(info.Size(), maxBytes)))); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if !always && began.Sub(info.ModTime()).Abs() > coarse {
		if d.known == nil {
			d.known = map[string]remembered{}
		}
		d.known[path] = remembered{info, digest}
	}
	return digest, nil
}

// describes reports whether a file looks like the one that was read.
func (r remembered) describes(now fs.FileInfo) bool {
	return r.info.Size() == now.Size() && r.info.ModTime().Equal(now.ModTime()) && os.SameFile(r.info, now)
}

// Forget drops the digests of files that no longer exist.
func (d *Digester) Forget() {
	maps.DeleteFunc(d.known, func(path string, _ remembered) bool {
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
