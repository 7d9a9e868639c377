package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync/atomic"
	"time"
)

// restCaller speaks HTTP/1.1 over one connection that it keeps. It does what a
// load generator needs of HTTP and no more, for half of net/http's processor
// time (BenchmarkCallers): the whole request is one write, and of the headers of a response
// it reads only those that say how long the body is.
type restCaller struct {
	address string
	secure  bool
	timeout time.Duration
	request []byte
	checker

	conn     atomic.Pointer[net.Conn] // the one that Close, from another goroutine, closes
	in       *bufio.Reader
	response []byte // its body
	jsonSize int    // its Inference-Header-Content-Length; -1 when it has none
	closed   atomic.Bool
}

// open connects.
func (c *restCaller) open() error {
	conn, err := connect(c.address, c.secure, c.timeout, "http/1.1")
	if err != nil {
		return err
	}
	c.in = bufio.NewReaderSize(conn, 16<<10)
	c.conn.Store(&conn)
	if c.closed.Load() { // by a Close during the dial
		return errors.Join(net.ErrClosed, c.Close())
	}
	return nil
}

// Close ends the connection, and a Call in flight.
func (c *restCaller) Close() error {
	c.closed.Store(true)
	if conn := c.conn.Swap(nil); conn != nil {
		return (*conn).Close()
	}
	return nil
}

// Call sends the request and reads the response. After a connection has failed or
// the server has ended it, the next Call opens another.
func (c *restCaller) Call() Outcome {
	if c.closed.Load() {
		return failed(net.ErrClosed)
	}
	conn := c.conn.Load()
	if conn == nil {
		if err := c.open(); err != nil {
			return failed(err)
		}
		conn = c.conn.Load()
	}
	code, keep, err := c.exchange(*conn)
	if err != nil || !keep {
		if c.conn.CompareAndSwap(conn, nil) {
			(*conn).Close() // its error adds nothing to err
		}
	}
	if err != nil {
		return failed(err)
	}
	if code != http.StatusOK {
		return Outcome{Status: httpStatus(code), Detail: detail(c.response)}
	}
	if err := c.check(c.response); err != nil {
		return Outcome{Status: StatusWrong, Detail: err.Error()}
	}
	return Outcome{Status: StatusOK}
}

func (c *restCaller) exchange(conn net.Conn) (code int, keep bool, err error) {
	if err := conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, false, err
	}
	_, writeErr := conn.Write(c.request)
	code, keep, err = c.read()
	if err != nil {
		return 0, false, errors.Join(writeErr, err)
	}
	// A server may refuse before it has read all: its response counts.
	return code, keep && writeErr == nil, nil
}

// responseHead is what restCaller needs of a status line and headers.
type responseHead struct {
	code     int
	length   int // of the body; -1: not stated
	jsonSize int // of the body's JSON, when data follows it; -1: not stated
	chunked  bool
	keep     bool
}

func (c *restCaller) read() (code int, keep bool, err error) {
	h, err := c.readHead()
	for err == nil && h.code < http.StatusOK { // 100 Continue and the like
		h, err = c.readHead()
	}
	if err != nil {
		return 0, false, err
	}
	c.jsonSize = h.jsonSize
	switch {
	case h.chunked:
		var all []byte
		if all, err = io.ReadAll(httputil.NewChunkedReader(c.in)); err == nil {
			c.response = all
			_, err = c.in.ReadSlice('\n') // the end of the trailers, of which there are none
		}
	case h.length < 0:
		c.response, err = io.ReadAll(c.in)
		h.keep = false
	default:
		if cap(c.response) < h.length {
			c.response = make([]byte, h.length)
		}
		c.response = c.response[:h.length]
		_, err = io.ReadFull(c.in, c.response)
	}
	return h.code, h.keep, err
}

func (c *restCaller) readHead() (responseHead, error) {
	h := responseHead{length: -1, jsonSize: -1, keep: true}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	// HTTP/1.1 200 OK
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return h, fmt.Errorf("the server does not speak HTTP/1.1: %q", line)
	}
	if h.code, err = strconv.Atoi(string(line[9:12])); err != nil {
		return h, fmt.Errorf("the status line has no status: %q", line)
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return h, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if err := h.set(name, bytes.TrimSpace(value)); err != nil {
			return h, err
		}
	}
}

func (h *responseHead) set(name, value []byte) (err error) {
	is := func(key string) bool { return len(name) == len(key) && bytes.EqualFold(name, []byte(key)) }
	switch {
	case is("Content-Length"):
		if h.length, err = strconv.Atoi(string(value)); err == nil && h.length < 0 {
			err = errors.New("the server sent a negative Content-Length")
		}
	case is(headerLength):
		h.jsonSize, err = strconv.Atoi(string(value))
	case is("Transfer-Encoding"):
		h.chunked = bytes.EqualFold(value, []byte("chunked"))
	case is("Connection"):
		h.keep = !bytes.EqualFold(value, []byte("close"))
	}
	return err
}
