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
		before, _, _ := strings.Cut(text, ":")
		if slices.Contains(schemes, strings.ToLower(before)) && before != text {
			return Location{}, fmt.Errorf("%s is followed by no ://; write %s://…", before, before)
		}
		return Location{Scheme: File, Path: text}, nil
	}
	scheme = strings.ToLower(scheme)
	switch {
	case !validScheme.MatchString(scheme):
		return Location{}, fmt.Errorf("the scheme, before ://, is none of %s", strings.Join(schemes, ", "))
	case !slices.Contains(schemes, scheme):
		return Location{}, fmt.Errorf("scheme %q is none of %s", scheme, strings.Join(schemes, ", "))
	case scheme == OCI && strings.Contains(withoutDigest(scheme, rest), "@"):
		return Location{}, errors.New("a user and password have no place in an oci location; log in, which writes ~/.docker/config.json")
	case scheme == OCI:
		return Location{Scheme: OCI, Rest: rest}, nil // a reference with a digest is no URL
	}
	u, err := url.Parse(text)
	if err != nil {
		return Location{}, invalid(err)
	}
	switch {
	case u.User != nil && scheme != HTTPS && scheme != HTTP:
		return Location{}, fmt.Errorf("a user and password have no place in a location of %s; set the environment's credentials", scheme)
	case scheme != File:
		return Location{Scheme: scheme, URL: u}, nil
	}
	if u.Host != "" {
		return Location{}, fmt.Errorf("a file URL has three slashes, file:///%s%s", u.Host, u.Path)
	}
	return Location{Scheme: File, Path: filepath.FromSlash(u.Path)}, nil
}

// invalid describes an error of url.Parse without its text, which shows parts of
// the URL: of a password with a slash or a percent sign, for example.
func invalid(err error) error {
	if _, isEscape := errors.AsType[url.EscapeError](err); isEscape {
		return errors.New("invalid URL escape; write % itself as %25")
	}
	return errors.New("not a valid URL; special characters of a user, password or query are written as %XX")
}
