package repository

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
	"strconv"
	"time"
)

const (
	// alwaysRead is the size below which a file is read at each look: where times
	// are coarse and inodes used again, as on NFS, only the content tells a small
	// change. A larger file is read again when its size, time or inode has changed.
	alwaysRead = 1 << 20
	// coarse is how long after its time a large file may still change without
	// getting another; so long it is read at each look too.
	coarse = 3 * time.Second
)

// remembered is the digest of a file that had this size, time and inode.
type remembered struct {
	info   fs.FileInfo
	digest string
}

// bundle is a version as it lies there. A bare one lies in the model's folder.
func (s *scanner) bundle(ctx context.Context, model, name string, version int64, bare bool) Bundle {
	b := Bundle{Model: name, Version: version, Dir: model}
	if !bare {
		b.Dir = filepath.Join(model, strconv.FormatInt(version, 10))
	}
	b.Path = filepath.Join(b.Dir, modelFile)
	files, err := filesBelow(b.Dir, 0)
	switch {
	case err != nil:
		b.Err = err
		return b
	case !slices.Contains(files, modelFile):
		b.Err = fmt.Errorf("%s: no such file", b.Path)
		return b
	}
	if bare { // the settings lie beside the bundle and belong to the model
		files = slices.DeleteFunc(files, func(file string) bool { return file == yamlFile || file == pbtxtFile })
	}
	if slices.Contains(files, goldenFile) {
		b.Golden = filepath.Join(b.Dir, goldenFile)
	}
	return s.verify(ctx, b, files)
}

// verify gives b its digest, and the error of its manifest if there is one.
func (s *scanner) verify(ctx context.Context, b Bundle, files []string) Bundle {
	digests, err := s.digestsOf(ctx, b.Dir, files)
	if err != nil {
		b.Err = err
		return b
	}
	all := sha256.New()
	for _, name := range files {
		fmt.Fprintf(all, "%s %q\n", digests[name], name)
	}
	b.Digest = hex.EncodeToString(all.Sum(nil))
	if _, sealed := digests[ManifestFile]; sealed {
		b.Err = CheckManifest(filepath.Join(b.Dir, ManifestFile), digests)
	}
	return b
}

// Digests are the SHA-256 of the files that a reader finds in a version's folder,
// in hex, by their names in it.
func Digests(ctx context.Context, dir string) (map[string]string, error) {
	files, err := filesBelow(dir, 0)
	if err != nil {
		return nil, err
	}
	return (&scanner{}).digestsOf(ctx, dir, files)
}

func (s *scanner) digestsOf(ctx context.Context, dir string, files []string) (map[string]string, error) {
	digests := map[string]string{}
	for _, name := range files {
		digest, err := s.digest(ctx, filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		digests[name] = digest
	}
	return digests, nil
}

// digest is the SHA-256 of a file.
func (s *scanner) digest(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if known, ok := s.digests[path]; ok && known.of(info) {
		return known.digest, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return "", err
	}
	began := time.Now()
	sum := sha256.New()
	if _, err := io.Copy(sum, cancellable{ctx, f}); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if info.Size() >= alwaysRead && began.Sub(info.ModTime()).Abs() > coarse {
		if s.digests == nil {
			s.digests = map[string]remembered{}
		}
		s.digests[path] = remembered{info, digest}
	}
	return digest, nil
}

// of tells whether a file is to all appearance the one that was read.
func (r remembered) of(now fs.FileInfo) bool {
	return r.info.Size() == now.Size() && r.info.ModTime().Equal(now.ModTime()) && os.SameFile(r.info, now)
}

// forget drops the digests of files that are gone.
func (s *scanner) forget() {
	maps.DeleteFunc(s.digests, func(path string, _ remembered) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// cancellable ends when ctx does: a large file takes a while.
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
