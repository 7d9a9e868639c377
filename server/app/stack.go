package app

import (
	"context"
	"errors"
)

// stack holds the steps that stopping has to run. Each step is pushed on the line
// after the action that it undoes, so that a start that fails half-way is undone too.
type stack []func(context.Context) error

func (s *stack) push(undo func(context.Context) error) { *s = append(*s, undo) }

// unwind runs the steps, the latest first, and empties the stack. A step that
// fails does not prevent the others.
func (s *stack) unwind(ctx context.Context) error {
	var all error
	for i := len(*s) - 1; i >= 0; i-- {
		all = errors.Join(all, (*s)[i](ctx))
	}
	*s = nil
	return all
}
