package transfer

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Schemes of a Location. A text without a scheme is a folder's or a file's path.
const (
	File  = "file"
	S3    = "s3"
	GS    = "gs"
	Azure = "azblob"
	HTTPS = "https"
	HTTP  = "http"
	OCI   = "oci"
)

// Location is where bundles come from or go to.
type Location struct {
	Scheme string
	Path   string   // of a file URL and of a plain path
	Rest   string   // what follows :// of an OCI reference
	URL    *url.URL // of each other scheme
}

// ParseSource reads a location that bundles can come from.
func ParseSource(text string) (Location, error) {
	return parse(text, File, S3, GS, Azure, HTTPS, HTTP, OCI)
}

// ParseDestination reads a location that bundles can go to.
func ParseDestination(text string) (Location, error) {
	return parse(text, File, S3, GS, Azure)
}

func parse(text string, schemes ...string) (Location, error) {
	scheme, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return Location{Scheme: File, Path: text}, nil
	}
	scheme = strings.ToLower(scheme)
	if !slices.Contains(schemes, scheme) {
		return Location{}, fmt.Errorf("scheme %q is none of %s", scheme, strings.Join(schemes, ", "))
	}
	if scheme == OCI {
		return Location{Scheme: OCI, Rest: rest}, nil // a reference with a digest is no URL
	}
	u, err := url.Parse(text)
	if err != nil {
		return Location{}, errors.Unwrap(err) // the text around it has the whole URL, with what is secret in it
	}
	if scheme != File {
		return Location{Scheme: scheme, URL: u}, nil
	}
	if u.Host != "" {
		return Location{}, fmt.Errorf("a file URL has three slashes, file:///%s%s", u.Host, u.Path)
	}
	return Location{Scheme: File, Path: filepath.FromSlash(u.Path)}, nil
}

// Redact returns the text of a location without what may be secret in it: the
// user, the query and the fragment.
func Redact(text string) string {
	scheme, _, isURL := strings.Cut(text, "://")
	if !isURL {
		before, _, _ := strings.Cut(text, "?") // of a URL whose scheme was forgotten
		return before
	}
	u, err := url.Parse(text)
	if err != nil {
		return scheme + "://…"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
