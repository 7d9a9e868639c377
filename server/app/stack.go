package app

import (
	"context"
	"errors"
	"slices"
)

// stack holds the steps that stopping has to run. Each step is pushed on the line
// after the action that it undoes, so that a start that fails half-way is undone too.
type stack []func(context.Context) error

func (s *stack) push(undo func(context.Context) error) { *s = append(*s, undo) }

// unwind runs the steps, the latest first, and empties the stack. A step that
// fails does not prevent the others.
func (s *stack) unwind(ctx context.Context) error {
	var all error
	for _, undo := range slices.Backward(*s) {
		all = errors.Join(all, undo(ctx))
	}
	*s = nil
	return all
}
