package codec

import (
	"errors"
	"fmt"
	"strconv"

	"slipway/server/fault"
)

// problem is an error that learns its path while it is handed up, so that the
// path costs nothing as long as nothing is wrong.
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

// in puts a step in front of the path of err.
func in(step string, err error) error {
	if p, ok := errors.AsType[*problem](err); ok {
		p.path = step + p.path
	}
	return err
}

// at puts an index in front of the path of err.
func at(i int, err error) error { return in("["+strconv.Itoa(i)+"]", err) }

// invalid is err as the rest of the server knows it.
func invalid(err error) error { return fault.Wrap(fault.InvalidArgument, err) }

// clip quotes what came, or the beginning of it: a message never carries a payload.
func clip[T string | []byte](b T) string {
	const limit = 32
	if len(b) > limit {
		return strconv.QuoteToASCII(string(b[:limit])) + "…"
	}
	return strconv.Quote(string(b))
}
