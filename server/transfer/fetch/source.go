package fetch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
)

const (
	onnxSuffix = ".onnx"
	modelFile  = "model.onnx"
)

// packing is how an object holds files.
type packing uint8

const (
	plain      packing = iota // it is one
	tarball                   // a tar, perhaps gzipped
	imageLayer                // likewise, of a root file system whose /models alone is of interest
)

// object is one thing to download.
type object struct {
	name    string // where it goes, relative and with slashes
	key     string // what the source calls it
	size    int64  // -1: the source does not say
	tag     string // differs when the content does; empty: the source does not say
	sha256  string // in hex; empty: nobody promised one
	packing packing
}

// source is a place that has objects.
type source interface {
	list(ctx context.Context) ([]object, error)
	// open reads an object from offset on, or from its start: at says which.
	open(ctx context.Context, o object, offset int64) (body io.ReadCloser, at int64, err error)
	// single is true of a source that is one file by its URL.
	single() bool
	close() error
}

func open(ctx context.Context, from string, o Options) (source, error) {
	scheme, rest, isURL := strings.Cut(from, "://")
	if !isURL {
		return openFolder(from, o.Log)
	}
	if scheme == "oci" {
		return openRegistry(rest, o)
	}
	u, err := url.Parse(from)
	if err != nil {
		return nil, errors.Unwrap(err) // the text around it has the whole URL, with what is secret in it
	}
	switch scheme {
	case "file":
		if u.Host != "" {
			return nil, fmt.Errorf("a file URL has three slashes, file:///%s%s", u.Host, u.Path)
		}
		return openFolder(filepath.FromSlash(u.Path), o.Log)
	case "s3", "gs", "azblob":
		return openBucket(ctx, u, o.Log)
	case "http", "https":
		return openWeb(u, o)
	}
	return nil, fmt.Errorf("scheme %q is none of file, s3, gs, azblob, https, http, oci", scheme)
}

// packingOf tells a single file from a folder by its name.
func packingOf(name string) (p packing, single bool) {
	switch {
	case strings.HasSuffix(name, onnxSuffix):
		return plain, true
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		return tarball, true
	}
	return plain, false
}

// redact leaves what may be secret out of a source: user, query, fragment.
func redact(from string) string {
	u, err := url.Parse(from)
	if err != nil || !strings.Contains(from, "://") {
		before, _, _ := strings.Cut(from, "?")
		return before
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// checkPath keeps what a source names inside the folder that it is laid in.
func checkPath(name string) error {
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") {
		return permanent(fmt.Errorf("the source has a file %q, a name that leads out of its folder; nothing of it was laid", name))
	}
	return nil
}

// isName is true of what may name a folder of the repository.
func isName(name string) bool {
	return fs.ValidPath(name) && !strings.HasPrefix(name, ".")
}

// isHidden is true of files that no reader of a repository looks at, such as .DS_Store.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

func isSHA256(s string) bool {
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == 32
}
