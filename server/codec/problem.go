package codec

import (
	"errors"
	"fmt"
	"strconv"

	"slipway/server/fault"
)

// problem is an error whose path is built while it is returned through the callers, so that the path
// costs nothing as long as there is no error.
type problem struct{ path, text string }

func (p *problem) Error() string {
	if p.path == "" {
		return p.text
	}
	return p.path + ": " + p.text
}

func problemf(format string, args ...any) error {
	return &problem{text: fmt.Sprintf(format, args...)}
}

// in prepends a step to the path of err.
func in(step string, err error) error {
	if p, ok := errors.AsType[*problem](err); ok {
		p.path = step + p.path
	}
	return err
}

// at prepends an index to the path of err.
func at(i int, err error) error { return in("["+strconv.Itoa(i)+"]", err) }

// invalid gives err the code that the rest of the server knows.
func invalid(err error) error { return fault.Wrap(fault.InvalidArgument, err) }

// clip quotes a part of the body, or the beginning of it: a message never carries a payload.
func clip[T string | []byte](b T) string {
	const limit = 32
	if len(b) > limit {
		return strconv.QuoteToASCII(string(b[:limit])) + "…"
	}
	return strconv.Quote(string(b))
}
