package fault

import (
	"net/http"

	"google.golang.org/grpc/codes"
)

// statusClientClosed is nginx's status for a client that went away; nobody
// reads the answer, the log and the metrics do.
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

// HTTPStatus is the status that says err over HTTP.
func HTTPStatus(err error) int { return statuses[CodeOf(err)].http }

// GRPCCode is the code that says err over gRPC.
func GRPCCode(err error) codes.Code { return statuses[CodeOf(err)].grpc }
