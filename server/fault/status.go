package fault

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// statusClientClosed is nginx's status for a client that has disconnected. No
// client reads the response; the log and the metrics show the status.
const statusClientClosed = 499

var statuses = map[Code]struct {
	http int
	grpc codes.Code
}{
	Internal:         {http.StatusInternalServerError, codes.Internal},
	InvalidArgument:  {http.StatusBadRequest, codes.InvalidArgument},
	Unauthenticated:  {http.StatusUnauthorized, codes.Unauthenticated},
	PermissionDenied: {http.StatusForbidden, codes.PermissionDenied},
	NotFound:         {http.StatusNotFound, codes.NotFound},
	MethodNotAllowed: {http.StatusMethodNotAllowed, codes.Unimplemented},
	TooLarge:         {http.StatusRequestEntityTooLarge, codes.ResourceExhausted},
	UnsupportedMedia: {http.StatusUnsupportedMediaType, codes.InvalidArgument},
	Overloaded:       {http.StatusTooManyRequests, codes.ResourceExhausted},
	Unavailable:      {http.StatusServiceUnavailable, codes.Unavailable},
	Canceled:         {statusClientClosed, codes.Canceled},
	DeadlineExceeded: {http.StatusGatewayTimeout, codes.DeadlineExceeded},
}

// HTTPStatus returns the HTTP status of err.
func HTTPStatus(err error) int { return statuses[CodeOf(err)].http }

// GRPCCode returns the gRPC code of err.
func GRPCCode(err error) codes.Code { return statuses[CodeOf(err)].grpc }
