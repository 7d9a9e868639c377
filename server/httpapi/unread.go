package httpapi

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	// unreadBytes is what net/http itself reads of a body before it responds.
	unreadBytes = 256 << 10
	// unreadTime bounds how long a refused body is read, and unreadPause the time in which
	// nothing of it arrives.
	unreadTime  = 5 * time.Second
	unreadPause = time.Second
)

// hasLongBody reports whether a request may have more of a body than net/http reads by
// itself. A client that expects 100 (continue) has sent nothing.
func hasLongBody(r *http.Request) bool {
	length := r.ContentLength
	return r.ProtoMajor == 1 && (length < 0 || length > unreadBytes) && header(r, "Expect") == ""
}

// keepUnread makes net/http leave the body open when it writes the header of a refusal,
// for discardUnread.
func keepUnread(c *gin.Context) {
	if hasLongBody(c.Request) {
		_ = http.NewResponseController(c.Writer).EnableFullDuplex() // a recorder of tests can't
	}
}

// discardUnread reads what a client still sends of a body that was refused, after the
// response: a plain client sends the whole body before it reads the status, and a
// connection that is closed meanwhile shows it a broken pipe. What takes long is cut.
func (a *API) discardUnread(c *gin.Context) {
	if c.Writer.Status() < http.StatusBadRequest || !hasLongBody(c.Request) {
		return
	}
	c.Writer.Flush()
	connection := http.NewResponseController(c.Writer)
	part, end := make([]byte, 32<<10), time.Now().Add(unreadTime)
	for now := time.Now(); now.Before(end) && a.Stopping().Err() == nil; now = time.Now() {
		until := now.Add(unreadPause)
		if until.After(end) {
			until = end
		}
		if connection.SetReadDeadline(until) != nil {
			return // not a connection
		}
		if _, err := c.Request.Body.Read(part); err != nil {
			return
		}
	}
}
