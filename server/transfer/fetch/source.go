package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

// packing is how an object holds files.
type packing uint8

const (
	plain      packing = iota // the object is a file
	tarball                   // a tar, perhaps gzipped
	imageLayer                // a tar of a root file system, of which /models is read
)

// packingOf distinguishes a single file's name from a folder's.
func packingOf(name string) (p packing, single bool) {
	switch {
	case strings.HasSuffix(name, bundle.ModelSuffix):
		return plain, true
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return tarball, true
	}
	return plain, false
}

// object is one thing to download.
type object struct {
	name    string // its path in the source
	key     string // what the source calls it
	size    int64  // -1: unknown
	tag     string // differs when the content does; empty: unknown
	packing packing

	// What identifies the content without a download; empty: unknown.
	sha256, md5 string // in hexadecimal digits
	path        string // of a folder's file
}

// source is a place that has objects.
type source interface {
	list(ctx context.Context) ([]object, error)
	// open reads an object from the offset, or from its start: at is where.
	open(ctx context.Context, o object, offset int64) (body io.ReadCloser, at int64, err error)
	// single reports whether the URL is that of one file.
	single() bool
	close() error
}

func open(ctx context.Context, l transfer.Location, o Options) (source, error) {
	switch l.Scheme {
	case transfer.File:
		return openFolder(l.Path)
	case transfer.OCI:
		return openRegistry(l.Rest, o)
	case transfer.HTTP, transfer.HTTPS:
		return openWeb(l.URL, o)
	}
	return openBucket(ctx, l)
}

// same reports whether a file has the object's content, as far as that is known
// without a download.
func (o object) same(path string) bool {
	info, err := os.Stat(path)
	if err != nil || o.size >= 0 && o.size != info.Size() {
		return false
	}
	hash, expected := sha256.New(), o.sha256
	switch {
	case expected != "":
	case o.md5 != "":
		hash, expected = md5.New(), o.md5
	case o.path != "":
		expected = sumOf(sha256.New(), o.path)
	}
	return expected != "" && sumOf(hash, path) == expected
}

// sumOf returns a file's sum, or empty if it can't be read.
func sumOf(h hash.Hash, path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
