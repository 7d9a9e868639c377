package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
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

// permanent marks an error that another try can't remove.
func permanent(err error) error { return backoff.Permanent(err) }

// statusError is a response of a web server that is not the file.
type statusError struct {
	code  int
	after time.Duration // from Retry-After, or 0
	text  string
}

func (e *statusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server responds %d %s: %s", e.code, http.StatusText(e.code), e.text), ": ")
}

func (e *statusError) HTTPStatusCode() int { return e.code }

// statusOf finds the HTTP status in the error of any of the SDKs, or returns 0.
func statusOf(err error) int {
	var google *googleapi.Error
	var microsoft *azcore.ResponseError
	var registry *errcode.ErrorResponse
	var other interface{ HTTPStatusCode() int } // Amazon's and statusError
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

// isPermanent is true of the faults of the caller and the disk. Those of the network
// and the server pass.
func isPermanent(err error) bool {
	var marked *backoff.PermanentError
	var file *fs.PathError
	var rename *os.LinkError
	if errors.As(err, &marked) || errors.As(err, &file) || errors.As(err, &rename) {
		return true
	}
	status := statusOf(err)
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
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

// advice is what to do next, if the error itself does not contain it.
func advice(ctx context.Context, from string, err error) string {
	scheme, _, _ := strings.Cut(from, "://")
	var marked *backoff.PermanentError
	switch status := statusOf(err); {
	case ctx.Err() != nil:
		return "; what came is kept, and the next run resumes from there"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "; it speaks plain http: add --insecure if that is meant"
	case errors.As(err, &marked):
		return ""
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "; check " + credentialsOf[scheme]
	case status == http.StatusNotFound:
		return "; check the address"
	case status == http.StatusPreconditionFailed:
		return "; it was replaced meanwhile: run again"
	case errors.Is(err, errGaveUp):
		return "; run again to resume from where it stopped"
	}
	return ""
}
