package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

const (
	longestBackoff    = 30 * time.Second
	longestRetryAfter = 2 * time.Minute
)

var errGaveUp = errors.New("gave up")

// permanentError is one that trying again won't mend.
type permanentError struct{ error }

func permanent(err error) error { return &permanentError{err} }

func (e *permanentError) Unwrap() error { return e.error }

// statusError is an answer of a web server that is not the file.
type statusError struct {
	code  int
	after time.Duration // the server's wish, or 0
	text  string
}

func (e *statusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server answers %d %s: %s", e.code, http.StatusText(e.code), e.text), ": ")
}

func (e *statusError) HTTPStatusCode() int { return e.code }

// statusOf finds the HTTP status in whichever SDK's error, or 0.
func statusOf(err error) int {
	var google *googleapi.Error
	var microsoft *azcore.ResponseError
	var registry *errcode.ErrorResponse
	var other interface{ HTTPStatusCode() int } // Amazon's and ours
	switch {
	case errors.As(err, &google):
		return google.Code
	case errors.As(err, &microsoft):
		return microsoft.StatusCode
	case errors.As(err, &registry):
		return registry.StatusCode
	case errors.As(err, &other):
		return other.HTTPStatusCode()
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return http.StatusUnauthorized
	case errors.Is(err, errdef.ErrNotFound):
		return http.StatusNotFound
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return http.StatusNotFound
	case gcerrors.PermissionDenied:
		return http.StatusForbidden
	case gcerrors.FailedPrecondition:
		return http.StatusPreconditionFailed
	}
	return 0
}

// isPermanent is true of the caller's and the disk's faults. The network's and
// the server's pass.
func isPermanent(err error) bool {
	var told *permanentError
	var disk *fs.PathError
	if errors.As(err, &told) || errors.As(err, &disk) {
		return true
	}
	status := statusOf(err)
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
}

// retry tries until it works, until an error is permanent, or until o.Retries
// in a row brought nothing new.
func retry(ctx context.Context, o Options, try func() (advanced bool, err error)) error {
	for failures := 0; ; {
		advanced, err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if advanced {
			failures = 0
		}
		failures++
		if isPermanent(err) {
			return err
		}
		if failures > o.Retries {
			return fmt.Errorf("%w after %d tries: %w", errGaveUp, failures, err)
		}
		pause := backoff(o.Backoff, failures, err)
		o.Log.Warn("trying again", "after", pause.Round(time.Millisecond).String(), "failures", failures, "of", o.Retries, "error", err.Error())
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// backoff is half certain and half chance, so that pods started together spread;
// and never less than the server asks for.
func backoff(first time.Duration, failures int, err error) time.Duration {
	pause := min(first<<min(failures-1, 20), longestBackoff)
	pause = pause/2 + rand.N(pause/2+1)
	if status, ok := errors.AsType[*statusError](err); ok {
		pause = max(pause, min(status.after, longestRetryAfter))
	}
	return pause
}

// retryAfter reads the header in both of its forms.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
