package bench

import (
	"bufio"
	"bytes"
	"time"
)

// Nap replaces the sleep of an open loop.
func Nap(sleep func(time.Duration)) (restore func()) {
	before := nap
	nap = sleep
	return func() { nap = before }
}

// ReadHTTP reads one response as the REST caller does.
func ReadHTTP(response []byte) (code int, keep bool, body []byte, err error) {
	c := &restCaller{in: bufio.NewReader(bytes.NewReader(response))}
	code, keep, err = c.read()
	return code, keep, c.response, err
}
