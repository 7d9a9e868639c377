package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// web is one file of a web server.
type web struct {
	url     *url.URL
	client  *http.Client
	headers http.Header
	packing Packing
	stall   time.Duration // a response to List that takes so long has failed
}

func openWeb(u *url.URL, o Options) (Source, error) {
	if u.Scheme == "http" && !o.Insecure {
		return nil, errors.New("plain http can be read and changed on its way; use https, or add --insecure")
	}
	packing, single := packingOf(u.Path)
	if !single {
		return nil, fmt.Errorf("%s is none of .onnx, .tar.gz, .tgz; a web server has no folders to list", path.Base(u.Path))
	}
	client := &http.Client{
		Transport: o.transport(),
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if r.URL.Host != u.Host || r.URL.Scheme != u.Scheme {
				for name := range o.Headers { // they are for one host
					r.Header.Del(name)
				}
			}
			return o.follow(r, via)
		},
	}
	return &web{url: u, client: client, headers: o.Headers, packing: packing, stall: o.Stall}, nil
}

func (w *web) Single() bool { return true }

func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

func (w *web) List(ctx context.Context) ([]Object, error) { return within(ctx, w.stall, w.list) }

// list requests the first byte only: a signed URL often forbids HEAD.
func (w *web) list(ctx context.Context) ([]Object, error) {
	response, err := w.get(ctx, http.Header{"Range": {"bytes=0-0"}})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
		return nil, Permanent(errors.New("the server responds with a web page, perhaps to log in; check the URL and --header-file"))
	}
	o := Object{Name: path.Base(w.url.Path), Key: w.url.Path, Size: response.ContentLength, Tag: validator(response), Packing: w.packing}
	if response.StatusCode == http.StatusPartialContent {
		_, total, _ := strings.Cut(response.Header.Get("Content-Range"), "/")
		if o.Size, err = strconv.ParseInt(total, 10, 64); err != nil {
			o.Size = -1
		}
	}
	return []Object{o}, nil
}

// validator returns what changes with the content, if the server has such a header.
func validator(r *http.Response) string {
	if tag := r.Header.Get("ETag"); tag != "" {
		return tag
	}
	return r.Header.Get("Last-Modified")
}

func (w *web) Open(ctx context.Context, o Object, offset int64) (io.ReadCloser, int64, error) {
	header := http.Header{}
	// A weak tag allows other bytes of the same meaning: nothing to resume from. Without a
	// size nothing shows whether a part reaches to the end.
	if offset > 0 && o.Size >= 0 && o.Tag != "" && !strings.HasPrefix(o.Tag, "W/") {
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		header.Set("If-Range", o.Tag)
	}
	response, err := w.get(ctx, header)
	if err != nil {
		return nil, 0, err
	}
	if now := validator(response); now != o.Tag {
		_ = response.Body.Close() // its content no longer matters
		return nil, 0, Permanent(fmt.Errorf("the content changed meanwhile, from %s to %s; run again", o.Tag, now))
	}
	if err := w.check(response, o); err != nil {
		_ = response.Body.Close()
		return nil, 0, Permanent(err)
	}
	switch isPart := response.StatusCode == http.StatusPartialContent; {
	case isPart && header.Get("Range") == "":
		_ = response.Body.Close()
		return nil, 0, errors.New("requested the whole file, got a part")
	case !isPart:
		return response.Body, 0, nil
	}
	if !strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)) {
		_ = response.Body.Close()
		return nil, 0, fmt.Errorf("requested bytes from %d, got %s", offset, response.Header.Get("Content-Range"))
	}
	return response.Body, offset, nil
}

// check refuses a response to whose end, or to whose content, nothing vouches. An archive
// shows itself whether it is whole.
func (w *web) check(r *http.Response, o Object) error {
	encoding := r.Header.Get("Content-Encoding")
	isChunked := r.ProtoMajor > 1 || len(r.TransferEncoding) > 0
	switch {
	case o.Packing != Plain:
		return nil
	case encoding != "" && encoding != "identity":
		return fmt.Errorf("the server sends the file encoded as %s, which was not requested; store it without Content-Encoding", encoding)
	case o.Size < 0 && o.SHA256 == "" && r.ContentLength < 0 && !isChunked:
		return errors.New("the server reports no length, so a cut could not be noticed; name the file's --sha256")
	}
	return nil
}

func (w *web) get(ctx context.Context, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header = header
	maps.Copy(request.Header, w.headers)
	request.Header.Set("Accept-Encoding", "identity") // ranges and sizes are of the file's own bytes
	response, err := w.client.Do(request)
	if err != nil {
		// The outer error has the URL with its query, which may hold a signature.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return nil, err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusPartialContent {
		defer response.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(response.Body, 200))
		return nil, &StatusError{response.StatusCode, retryAfter(response.Header, time.Now()), strings.TrimSpace(string(text))}
	}
	return response, nil
}
