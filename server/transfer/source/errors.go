package source

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/cenkalti/backoff/v5"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"slipway/server/transfer"
)

// Permanent marks an error that another try can't remove.
func Permanent(err error) error { return backoff.Permanent(err) }

// StatusError is a response of a web server that is not the file.
type StatusError struct {
	Code  int
	After time.Duration // from Retry-After, or 0
	Text  string
}

func (e *StatusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server responds %d %s: %s", e.Code, http.StatusText(e.Code), e.Text), ": ")
}

// HTTPStatusCode returns the status, by the name that Amazon's errors have for it.
func (e *StatusError) HTTPStatusCode() int { return e.Code }

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

// Status finds the HTTP status in the error of any source, or returns 0. The codes of
// gcerrors alone don't do: they lack 400 and 401, and Google's 403 is a 404 there.
func Status(err error) int {
	var google *googleapi.Error
	var microsoft *azcore.ResponseError
	var registry *errcode.ErrorResponse
	var other interface{ HTTPStatusCode() int } // Amazon's and StatusError
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
	case errors.Is(err, errdef.ErrNotFound), gcerrors.Code(err) == gcerrors.NotFound:
		return http.StatusNotFound
	}
	return 0
}

// credentialsOf is where each scheme's credentials come from.
var credentialsOf = map[string]string{
	transfer.S3:    "the AWS credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws, or the pod's role)",
	transfer.GS:    "the Google credentials (GOOGLE_APPLICATION_CREDENTIALS, or the pod's workload identity)",
	transfer.Azure: "the Azure credentials (AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY, or the pod's workload identity)",
	transfer.HTTPS: "the token in --header-file",
	transfer.HTTP:  "the token in --header-file",
	transfer.OCI:   "the registry's login in $DOCKER_CONFIG/config.json or ~/.docker/config.json",
}

// Advice returns what to do about an error of a scheme's source, or empty.
func Advice(scheme string, err error) string {
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "it speaks plain http: add --insecure if that is meant"
	}
	switch Status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "check " + credentialsOf[scheme]
	case http.StatusNotFound:
		return "check the address"
	case http.StatusPreconditionFailed:
		return "it was replaced meanwhile: run again"
	}
	return ""
}
