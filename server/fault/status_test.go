package fault_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"

	"slipway/server/fault"
)

func TestEveryCodeHasItsStatuses(t *testing.T) {
	for code := fault.Internal; code <= fault.DeadlineExceeded; code++ {
		err := fault.New(code, "it failed")
		assert.GreaterOrEqual(t, fault.HTTPStatus(err), 400)
		assert.NotEqual(t, codes.OK, fault.GRPCCode(err))
	}
	assert.Equal(t, http.StatusTooManyRequests, fault.HTTPStatus(fault.New(fault.Overloaded, "full")))
	assert.Equal(t, codes.DeadlineExceeded, fault.GRPCCode(context.DeadlineExceeded))
	assert.Equal(t, codes.Internal, fault.GRPCCode(errors.New("unclassified")))
}
