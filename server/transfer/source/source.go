package source

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"gocloud.dev/blob"

	"slipway/server/bundle"
	"slipway/server/transfer"
)

// Packing is how an object holds files.
type Packing uint8

// Packings of an object.
const (
	Plain      Packing = iota // the object is a file
	Tarball                   // a tar, perhaps gzipped
	ImageLayer                // a tar of a root file system, of which /models is read
)

// packingOf distinguishes a single file's name from a folder's.
func packingOf(name string) (p Packing, single bool) {
	switch {
	case strings.HasSuffix(name, bundle.ModelSuffix):
		return Plain, true
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return Tarball, true
	}
	return Plain, false
}

// MaxObjects is the most files that a source may have: a thousand versions with a hundred
// files each. A store that lists more is another one than was meant.
const MaxObjects = 100_000

// TooMany is the error of a source with more.
func TooMany() error {
	return Permanent(fmt.Errorf("more than %d files; check the address, or fetch a part of it", MaxObjects))
}

// Object is one thing to download.
type Object struct {
	Name    string // its path in the source
	Key     string // what the source calls it
	Size    int64  // -1: unknown
	Tag     string // differs when the content does; empty: unknown
	SHA256  string // in hexadecimal digits; empty: unknown
	Packing Packing

	md5  string              // of an object store, in hexadecimal digits; empty: unknown
	path string              // of a folder's file
	pin  *blob.ReaderOptions // of an object store
}

// Source is a place that has objects.
type Source interface {
	// List returns the objects. Their names are not checked.
	List(ctx context.Context) ([]Object, error)
	// Open reads an object from the offset, or from its start: at is where.
	Open(ctx context.Context, o Object, offset int64) (body io.ReadCloser, at int64, err error)
	// Single reports whether the location is that of one file.
	Single() bool
	Close() error
}

// Options are how to speak to a web server or a registry.
type Options struct {
	Headers  http.Header   // sent to an https source and to no host that it redirects to
	Insecure bool          // plain HTTP is allowed, and spoken to a registry
	Stall    time.Duration // a server that does not respond for so long has failed
}

// within makes a request that must end in time, unless the limit is 0.
func within[T any](ctx context.Context, limit time.Duration, request func(context.Context) (T, error)) (T, error) {
	if limit == 0 {
		return request(ctx)
	}
	late := fmt.Errorf("no complete response in %s", limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	result, err := request(ctx)
	if err != nil && errors.Is(context.Cause(ctx), late) {
		return result, late
	}
	return result, err
}

// transport returns one that gives up on a server that does not respond.
func (o Options) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = o.Stall
	return t
}

// follow refuses redirects on which the content could be changed, and keeps the URL that
// redirects, whose query may be a signature, from the host that it redirects to.
func (o Options) follow(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer")
	switch {
	case r.URL.Scheme != "https" && !o.Insecure:
		return Permanent(errors.New("the server redirects to plain http; add --insecure to follow"))
	case len(via) > 10:
		return Permanent(errors.New("more than 10 redirects"))
	}
	return nil
}

// Open returns the source at a location. It sends no request.
func Open(ctx context.Context, l transfer.Location, o Options) (Source, error) {
	switch l.Scheme {
	case transfer.File:
		return openFolder(l.Path)
	case transfer.OCI:
		return openRegistry(l.Rest, o)
	case transfer.HTTP, transfer.HTTPS:
		return openWeb(l.URL, o)
	}
	return openBucket(ctx, l, o.Stall)
}

// Same reports whether a file has the object's content, as far as that is known
// without a download.
func (o Object) Same(path string) bool {
	info, err := os.Stat(path)
	if err != nil || o.Size >= 0 && o.Size != info.Size() {
		return false
	}
	sum, expected := sha256.New(), o.SHA256
	switch {
	case expected != "":
	case o.md5 != "":
		sum, expected = md5.New(), o.md5
	case o.path != "":
		expected = sumOf(sha256.New(), o.path)
	}
	return expected != "" && sumOf(sum, path) == expected
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
