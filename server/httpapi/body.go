package httpapi

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/fault"
)

// readBody reads the whole body, up to the limit. The caller must give it back.
func (a *API) readBody(c *gin.Context, limit int64, charge *admission.Charge) (*buffer, error) {
	if err := checkMedia(c.Request); err != nil {
		return nil, err
	}
	if c.Request.ContentLength > limit {
		return nil, a.tooLarge(c, limit)
	}
	if err := a.Memory.Fits(admission.Receive, c.Request.ContentLength); err != nil {
		return nil, a.readError(c, limit, err)
	}
	defer a.hurryWhenStopping(c)()
	body := takeBuffer()
	var err error
	if encoding := header(c.Request, "Content-Encoding"); encoding == "" && c.Request.ContentLength >= 0 {
		err = body.ReadExactly(c.Request.Body, c.Request.ContentLength, charge)
	} else {
		err = readUnknown(c, encoding, limit, body, charge)
	}
	if err != nil {
		body.giveBack()
		return nil, a.readError(c, limit, err)
	}
	return body, nil
}

// hurryWhenStopping gives a body a deadline when the server stops. The function that is
// returned takes it back: it would interrupt what follows.
func (a *API) hurryWhenStopping(c *gin.Context) (end func()) {
	body, hurried := http.NewResponseController(c.Writer), make(chan struct{})
	cancel := context.AfterFunc(a.Stopping(), func() {
		defer close(hurried)
		_ = body.SetReadDeadline(time.Now().Add(api.StopStall))
	})
	return func() {
		if !cancel() {
			<-hurried
			_ = body.SetReadDeadline(time.Time{})
		}
	}
}

// readUnknown reads a body whose size is known at its end only. What is small on
// the wire may be large: the limit holds for both.
func readUnknown(c *gin.Context, encoding string, limit int64, body *buffer, charge *admission.Charge) error {
	// The decompressors take no more than they need of a reader that has single bytes.
	raw := bufio.NewReader(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	from, err := decompressed(encoding, raw)
	if err == nil {
		err = body.ReadAll(from, limit, charge)
	}
	if err != nil {
		return encodingError(encoding, err)
	}
	// A body ends where its encoding does. net/http looks whether the client has gone once
	// the body has been read to its end.
	switch _, err := raw.ReadByte(); {
	case err == nil:
		return fmt.Errorf("something follows the end of the %s data", encoding)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// encodingError is why a body could not be read, of which the data of an encoding may
// have ended too early.
func encodingError(encoding string, err error) error {
	if encoding != "" && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
		return fmt.Errorf("the %s data has no end", encoding)
	}
	return err
}

// decompressed returns a reader of the body before it was encoded.
func decompressed(encoding string, body *bufio.Reader) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate": // which is zlib's format, by RFC 9110
		return zlib.NewReader(body)
	}
	return nil, fault.New(fault.UnsupportedMedia, "Content-Encoding %q is not read; send gzip, deflate or the body as it is", encoding)
}

func (a *API) readError(c *gin.Context, limit int64, err error) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over), errors.Is(err, admission.ErrTooLong):
		return a.tooLarge(c, limit)
	case fault.CodeOf(err) == fault.Overloaded, fault.CodeOf(err) == fault.TooLarge:
		c.Header("Connection", "close") // as in tooLarge
		return err
	case errors.Is(err, os.ErrDeadlineExceeded) && a.Stopping().Err() != nil:
		c.Header("Connection", "close")
		return fault.New(fault.Unavailable, "the server is shutting down and the body has not arrived")
	case c.Request.Context().Err() != nil:
		return fault.New(fault.Canceled, "read body: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.InvalidArgument, "read body: it ended before its Content-Length")
	}
	return fault.Wrap(fault.InvalidArgument, fmt.Errorf("read body: %w", err))
}

// tooLarge closes the connection, so that the client gets the response at once: on
// one that stays open, the rest of the body would be read first.
func (a *API) tooLarge(c *gin.Context, limit int64) error {
	c.Header("Connection", "close")
	if limit == a.MaxBodyBytes {
		return fault.New(fault.TooLarge, "the body is over the limit of %d bytes (http.maxBodyBytes)", limit)
	}
	return fault.New(fault.TooLarge, "the body is over the limit of %d bytes of this route", limit)
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
