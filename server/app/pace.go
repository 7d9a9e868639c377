package app

import (
	"context"
	"net/http"
	"sync"
	"time"

	"slipway/server/api"
)

// paced bounds how long a client of HTTP/2 may take to read a part of a response: a
// stream has a window of its own, which its connection.Listener does not see. Once
// the server stops, it bounds how long the rest of a request may take too.
func paced(h http.Handler, stopping context.Context) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			h.ServeHTTP(w, r)
			return
		}
		p := &pacedWriter{ResponseWriter: w, stream: http.NewResponseController(w), stall: writeStall}
		defer p.close()
		defer context.AfterFunc(stopping, p.hurry)()
		h.ServeHTTP(p, r)
		p.Flush()
	})
}

// pacedWriter writes a response in parts, each with a deadline.
type pacedWriter struct {
	http.ResponseWriter
	stream *http.ResponseController

	mu      sync.Mutex
	stall   time.Duration
	writing bool
	closed  bool // the handler has returned, and the stream is nobody's any more
}

const pacedBytes = 64 << 10

func (w *pacedWriter) Write(p []byte) (written int, err error) {
	defer w.end()
	for {
		w.begin()
		n, err := w.ResponseWriter.Write(p[written:min(written+pacedBytes, len(p))])
		written += n
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// Flush writes what is buffered.
func (w *pacedWriter) Flush() {
	defer w.end()
	w.begin()
	_ = w.stream.Flush() // the next write has the error
}

func (w *pacedWriter) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = true
	_ = w.stream.SetWriteDeadline(time.Now().Add(w.stall)) // HTTP/2 has deadlines
}

func (w *pacedWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = false
	_ = w.stream.SetWriteDeadline(time.Time{})
}

func (w *pacedWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

func (w *pacedWriter) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.stall = api.StopStall
	at := time.Now().Add(w.stall)
	_ = w.stream.SetReadDeadline(at)
	if w.writing {
		_ = w.stream.SetWriteDeadline(at)
	}
}
