package fetch

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// Where each source's credentials come from.
var credentialsOf = map[string]string{
	"s3":     "the AWS credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws, or the pod's role)",
	"gs":     "the Google credentials (GOOGLE_APPLICATION_CREDENTIALS, or the pod's workload identity)",
	"azblob": "the Azure credentials (AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY, or the pod's workload identity)",
	"https":  "the token in --header-file",
	"http":   "the token in --header-file",
	"oci":    "the registry's login in $DOCKER_CONFIG/config.json or ~/.docker/config.json",
}

// advice says what to do next, where the error itself does not.
func advice(ctx context.Context, from string, err error) string {
	scheme, _, _ := strings.Cut(from, "://")
	var told *permanentError
	switch status := statusOf(err); {
	case ctx.Err() != nil:
		return "; what came is kept, and the next run goes on from there"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "; it speaks plain http: add --insecure if that is meant"
	case errors.As(err, &told):
		return ""
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "; check " + credentialsOf[scheme]
	case status == http.StatusNotFound:
		return "; check the address"
	case status == http.StatusPreconditionFailed:
		return "; it was replaced meanwhile: run again"
	case errors.Is(err, errGaveUp):
		return "; run again to go on from where it stopped"
	}
	return ""
}
