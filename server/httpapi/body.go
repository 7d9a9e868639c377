package httpapi

import (
	"bytes"
	"errors"
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
	body := takeBuffer()
	into := bytes.NewBuffer(body.bytes)
	if n := c.Request.ContentLength; n > 0 {
		into.Grow(int(n) + bytes.MinRead) // else the last read doubles it
	}
	_, err := into.ReadFrom(http.MaxBytesReader(c.Writer, c.Request.Body, a.MaxBodyBytes))
	body.bytes = into.Bytes()
	if err != nil {
		body.giveBack()
		var over *http.MaxBytesError
		switch {
		case errors.As(err, &over):
			return nil, a.tooLarge(c)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fault.New(fault.InvalidArgument, "read body: it ended before its Content-Length")
		case c.Request.Context().Err() != nil:
			return nil, fault.New(fault.Canceled, "read body: %w", err)
		}
		return nil, fault.New(fault.InvalidArgument, "read body: %w", err)
	}
	return body, nil
}

// tooLarge answers at once: on a connection that stays open, the rest of the
// body would be read first.
func (a *API) tooLarge(c *gin.Context) error {
	c.Header("Connection", "close")
	return fault.New(fault.TooLarge, "the body is over the limit of %d bytes (http.maxBodyBytes)", a.MaxBodyBytes)
}

// checkMedia takes JSON, a request that does not say, and what curl -d says
// unless told otherwise.
func checkMedia(h http.Header) error {
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fault.New(fault.UnsupportedMedia, "Content-Encoding %q is not read; send the body as it is", encoding)
	}
	if h.Get("Inference-Header-Content-Length") != "" {
		return fault.New(fault.UnsupportedMedia, "Inference-Header-Content-Length: binary tensors are not served; send JSON data")
	}
	given := h.Get("Content-Type")
	if given == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(given)
	switch {
	case err != nil:
	case media == "application/json", strings.HasSuffix(media, "+json"), media == "application/x-www-form-urlencoded":
		return nil
	}
	return fault.New(fault.UnsupportedMedia, "Content-Type %q is not read; send application/json", given)
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
