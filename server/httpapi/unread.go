package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// unreadTime bounds how long such a body is read, before the response and after it,
	// and unreadPause the time in which nothing of it arrives then.
	unreadTime  = 5 * time.Second
	unreadPause = time.Second
)

// hasBody reports whether a request has a body that its client sends before it reads the
// response. One that expects 100 (continue) has sent nothing.
func hasBody(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.Body != http.NoBody && header(r, "Expect") == ""
}

// keepUnread makes net/http leave the body open when it writes the header of a refusal,
// for discardUnread.
func keepUnread(c *gin.Context) {
	if hasBody(c.Request) {
		_ = http.NewResponseController(c.Writer).EnableFullDuplex() // a recorder of tests can't
	}
}

// discardUnread reads what a client still sends of a body that was refused, or that
// nobody reads, after the response: a plain client sends the whole body before it reads
// the status, and a connection that is closed meanwhile shows it a broken pipe. What
// takes long is cut. Of a body that was not refused net/http reads 256 KiB itself, and
// responds then.
func (a *API) discardUnread(c *gin.Context) {
	wasRead := c.Writer.Status() < http.StatusBadRequest && c.Request.Method == http.MethodPost
	if wasRead || !hasBody(c.Request) {
		return
	}
	connection := http.NewResponseController(c.Writer)
	if connection.SetReadDeadline(time.Now().Add(unreadTime)) != nil {
		return // not a connection
	}
	c.Writer.Flush()
	part, end := make([]byte, 8<<10), time.Now().Add(unreadTime)
	for now := time.Now(); now.Before(end) && a.Stopping().Err() == nil; now = time.Now() {
		until := now.Add(unreadPause)
		if until.After(end) {
			until = end
		}
		_ = connection.SetReadDeadline(until)
		if _, err := c.Request.Body.Read(part); err != nil {
			return
		}
	}
}
