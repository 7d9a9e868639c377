package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code is the kind of a failure.
type Code uint8

// The kinds of failure; status.go is the table to HTTP and gRPC.
const (
	Internal         Code = iota // the model or the server failed
	InvalidArgument              // the request is wrong
	Unauthenticated              // no key, or a wrong one
	PermissionDenied             // not on this listener
	NotFound                     // no such model, version or route
	MethodNotAllowed             // the route exists, for another method
	TooLarge                     // the body is over the limit
	UnsupportedMedia             // the content type is not supported
	Overloaded                   // the server cannot serve it in time; try again later
	Unavailable                  // not ready, or draining
	Canceled                     // the client has disconnected
	DeadlineExceeded             // the deadline of the request has passed
)

// Error is a failure of a known kind.
type Error struct {
	Code       Code
	Err        error
	RetryAfter time.Duration // of Overloaded: when trying again may work
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// New returns an Error with the message of fmt.Errorf.
func New(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Wrap adds a kind to err; nil stays nil, and an error that has a kind keeps it.
func Wrap(code Code, err error) error {
	var has *Error
	if err == nil || errors.As(err, &has) {
		return err
	}
	return &Error{Code: code, Err: err}
}

// CodeOf returns the kind of err. An error without a kind is Internal.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return DeadlineExceeded
	}
	return Internal
}

// RetryAfterOf returns when to try again after err; 0 when that is not known.
func RetryAfterOf(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
