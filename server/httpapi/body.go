package httpapi

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"slipway/server/admission"
	"slipway/server/fault"
)

// readBody reads the whole body, up to the limit. The caller must give it back.
func (a *API) readBody(c *gin.Context, charge *admission.Charge) (*buffer, error) {
	if err := checkMedia(c.Request); err != nil {
		return nil, err
	}
	if c.Request.ContentLength > a.MaxBodyBytes {
		return nil, a.tooLarge(c)
	}
	if err := a.Memory.Fits(admission.Receive, c.Request.ContentLength); err != nil {
		return nil, a.readError(c, err)
	}
	body := takeBuffer()
	var err error
	if encoding := header(c.Request, "Content-Encoding"); encoding == "" && c.Request.ContentLength >= 0 {
		err = body.ReadExactly(c.Request.Body, c.Request.ContentLength, charge)
	} else {
		err = a.readUnknown(c, encoding, body, charge)
	}
	if err != nil {
		body.giveBack()
		return nil, a.readError(c, err)
	}
	return body, nil
}

// readUnknown reads a body whose size is known at its end only. What is small on
// the wire may be large: the limit holds for both.
func (a *API) readUnknown(c *gin.Context, encoding string, body *buffer, charge *admission.Charge) error {
	from, err := decompressed(encoding, http.MaxBytesReader(c.Writer, c.Request.Body, a.MaxBodyBytes))
	if err != nil {
		return err
	}
	return body.ReadAll(from, a.MaxBodyBytes, charge)
}

// decompressed returns a reader of the body before it was encoded.
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
	case errors.As(err, &over), errors.Is(err, admission.ErrTooLong):
		return a.tooLarge(c)
	case fault.CodeOf(err) == fault.Overloaded, fault.CodeOf(err) == fault.TooLarge:
		c.Header("Connection", "close") // as in tooLarge
		return err
	case c.Request.Context().Err() != nil:
		return fault.New(fault.Canceled, "read body: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.InvalidArgument, "read body: it ended before its Content-Length")
	}
	return fault.Wrap(fault.InvalidArgument, fmt.Errorf("read body: %w", err))
}

// tooLarge closes the connection, so that the client gets the response at once: on
// one that stays open, the rest of the body would be read first.
func (a *API) tooLarge(c *gin.Context) error {
	c.Header("Connection", "close")
	return fault.New(fault.TooLarge, "the body is over the limit of %d bytes (http.maxBodyBytes)", a.MaxBodyBytes)
}

// checkMedia takes JSON, a request without a type, and what curl -d sends by
// default. With binary data Triton's clients send all sorts of types.
func checkMedia(r *http.Request) error {
	given := header(r, "Content-Type")
	if given == "" || given == "application/json" || header(r, headerLength) != "" {
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
