package fault_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"slipway/server/fault"
)

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want fault.Code
	}{
		{io.EOF, fault.Internal},
		{fault.New(fault.NotFound, "no model %q", "x"), fault.NotFound},
		{fmt.Errorf("outer: %w", fault.New(fault.TooLarge, "x")), fault.TooLarge},
		{fault.Wrap(fault.InvalidArgument, io.EOF), fault.InvalidArgument},
		{fault.Wrap(fault.Internal, fault.New(fault.NotFound, "x")), fault.NotFound},
		{fmt.Errorf("read: %w", context.Canceled), fault.Canceled},
		{context.DeadlineExceeded, fault.DeadlineExceeded},
	} {
		assert.Equal(t, test.want, fault.CodeOf(test.err), test.err)
	}
	assert.NoError(t, fault.Wrap(fault.NotFound, nil))
	assert.ErrorIs(t, fault.Wrap(fault.NotFound, io.EOF), io.EOF)
}
