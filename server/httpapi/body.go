package httpapi

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"slipway/server/fault"
)

// readBody reads the whole body, up to the limit. The caller gives it back.
func (a *API) readBody(c *gin.Context) (*buffer, error) {
	if err := checkMedia(c.Request.Header); err != nil {
		return nil, err
	}
	if c.Request.ContentLength > a.MaxBodyBytes {
		return nil, a.tooLarge(c)
	}
	from, err := decompressed(c.Request.Header.Get("Content-Encoding"), http.MaxBytesReader(c.Writer, c.Request.Body, a.MaxBodyBytes))
	if err != nil {
		return nil, a.readError(c, err)
	}
	body := takeBuffer()
	into := bytes.NewBuffer(body.bytes)
	if n := c.Request.ContentLength; n > 0 {
		into.Grow(int(n) + bytes.MinRead) // else the last read doubles it
	}
	// What is small on the wire may be large: the limit holds for both.
	_, err = into.ReadFrom(io.LimitReader(from, a.MaxBodyBytes+1))
	body.bytes = into.Bytes()
	switch {
	case err != nil:
		err = a.readError(c, err)
	case int64(len(body.bytes)) > a.MaxBodyBytes:
		err = a.tooLarge(c)
	}
	if err != nil {
		body.giveBack()
		return nil, err
	}
	return body, nil
}

// decompressed reads what an encoding made of the body.
func decompressed(encoding string, body io.Reader) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return body, nil
	case "gzip":
		return gzip.NewReader(body)
	case "deflate": // which is zlib's format, by RFC 9110
		return zlib.NewReader(body)
	}
	return nil, fault.New(fault.UnsupportedMedia, "Content-Encoding %q is not read; send gzip, deflate or the body as it is", encoding)
}

func (a *API) readError(c *gin.Context, err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return a.tooLarge(c)
	case c.Request.Context().Err() != nil:
		return fault.New(fault.Canceled, "read body: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.InvalidArgument, "read body: it ended before its Content-Length")
	}
	return fault.Wrap(fault.InvalidArgument, fmt.Errorf("read body: %w", err))
}

// tooLarge answers at once: on a connection that stays open, the rest of the
// body would be read first.
func (a *API) tooLarge(c *gin.Context) error {
	c.Header("Connection", "close")
	return fault.New(fault.TooLarge, "the body is over the limit of %d bytes (http.maxBodyBytes)", a.MaxBodyBytes)
}

// checkMedia takes JSON, a request that does not say, and what curl -d says
// unless told otherwise. With binary data Triton's clients say all sorts of things.
func checkMedia(h http.Header) error {
	given := h.Get("Content-Type")
	if given == "" || given == "application/json" || h.Get(headerLength) != "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	switch {
	case err != nil:
	case media == "application/json", strings.HasSuffix(media, "+json"), media == "application/x-www-form-urlencoded":
		return nil
	}
	return fault.New(fault.UnsupportedMedia, "Content-Type %q is not read; send application/json, or binary data with %s", given, headerLength)
}

// buffer is bytes that outlive the request that used them.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// keepBytes bounds what an idle buffer holds: a rare large body is not kept.
const keepBytes = 4 << 20

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) giveBack() {
	if cap(b.bytes) > keepBytes {
		return
	}
	b.bytes = b.bytes[:0]
	buffers.Put(b)
}
