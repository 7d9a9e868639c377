package api

import (
	"fmt"
	"math"
	"time"
)

// maxTimeout bounds the parameter timeout: whoever waits for longer has made a
// mistake in the unit.
const maxTimeout = 24 * time.Hour

// Timeout reads the parameter of that name, which is in microseconds. nil is 0: none given.
func Timeout(given any) (time.Duration, error) {
	n, err := natural(given, maxTimeout.Microseconds())
	return time.Duration(n) * time.Microsecond, err
}

// Priority reads the parameter of that name. nil is 0: the model's default.
func Priority(given any) (int, error) {
	n, err := natural(given, math.MaxInt32)
	return int(n), err
}

// natural reads a whole number from 0 to most.
func natural(given any, most int64) (int64, error) {
	switch n := given.(type) {
	case nil:
		return 0, nil
	case int64:
		if n >= 0 && n <= most {
			return n, nil
		}
	case uint64:
		if n <= uint64(most) {
			return int64(n), nil
		}
	}
	format := "got %v, expected a whole number from 0 to %d"
	if _, isText := given.(string); isText {
		format = "got the string %.64q, expected a whole number from 0 to %d"
	}
	return 0, fmt.Errorf(format, given, most)
}
