package serving

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"slipway/server/golden"
	"slipway/server/trial"
)

// The steps of a proof, as a failed trial names them.
const (
	stepOpen   = "opening the model"
	stepWarmUp = "warming up"
	stepGolden = "reproducing the golden answers"
	stepRows   = "learning the rows"
	stepVerify = "verifying batching"
	stepEmpty  = "running on inputs without elements"
)

// Prove opens and proves a version as the catalog does without trials. It is the part
// of a trial's child, which never frees what it has opened.
func Prove(ctx context.Context, r trial.Request, to trial.Progress) (trial.Result, error) {
	to.Step(stepOpen)
	v, err := openCandidate(r, nil)
	if err != nil {
		return trial.Result{}, failureOf(err)
	}
	result, err := v.prove(ctx, to)
	if err == nil {
		err = r.Bundle.Unchanged(ctx)
	}
	if err != nil {
		return trial.Result{}, failureOf(err)
	}
	dies := result
	dies.RefusesEmpty = true
	to.Passed(dies)
	v.tryEmpty(ctx, to)
	return result, v.session.Close()
}

func failureOf(err error) *trial.Failure {
	return &trial.Failure{Reason: err.Error(), Permanent: isPermanent(err), GoldenMismatch: isMismatch(err)}
}

// prove warms a candidate up, reproduces its golden answers, learns where its rows are
// and verifies its batching.
func (v *candidate) prove(ctx context.Context, to trial.Progress) (result trial.Result, err error) {
	if err := errors.Join(v.checkDeclared(), v.checkWarmUps()); err != nil {
		return result, permanent(err)
	}
	to.Step(stepWarmUp)
	warm, err := v.warmUp(ctx)
	if err != nil && len(v.config.WarmUp) > 0 {
		return result, v.warmUpFailure(ctx, err)
	}
	if err != nil { // it was made up
		result.WarmUpRefused = err.Error()
	}
	result.RunsLong = v.runsLong(ctx, warm)
	to.Step(stepGolden)
	cases, err := v.goldenCases()
	if err != nil {
		return result, err
	}
	for i, g := range cases {
		if err := v.reproduce(ctx, g); err != nil {
			err = fmt.Errorf("golden answer %d of %s: %w", i+1, v.bundle.Golden, err)
			if recorded := g.Recorded.OtherThan(v.runner()); recorded != "" {
				err = fmt.Errorf("%w; %s", err, recorded)
			}
			return result, mismatchError{err}
		}
	}
	if err := v.learnRows(ctx, cases, warm, to, &result); err != nil {
		return result, err
	}
	v.applyRows(result)
	return result, nil
}

// runner is what the candidate's responses come from.
func (v *candidate) runner() golden.Recorded {
	return golden.Recorded{Runtime: Runtime(), Threads: v.threads}
}

// mismatchError is a golden answer that was not reproduced.
type mismatchError struct{ error }

func (e mismatchError) Unwrap() error { return e.error }

func isMismatch(err error) bool { return errors.As(err, new(mismatchError)) }

// goldenCases reads the golden answers, of which there may be none.
func (v *candidate) goldenCases() ([]golden.Case, error) {
	if v.bundle.Golden == "" {
		return nil, nil
	}
	file, err := v.bundle.OpenGolden()
	if err != nil {
		return nil, fmt.Errorf("read golden answers: %w", err)
	}
	defer file.Close()
	cases, err := golden.Read(file, v.Accepts(), v.Outputs)
	if err == nil {
		return cases, nil
	}
	err = fmt.Errorf("read golden answers of %s: %w", v.bundle.Golden, err)
	if unread := (*fs.PathError)(nil); errors.As(err, &unread) {
		return nil, err
	}
	return nil, permanent(err)
}

// reproduce runs a golden request and compares the response.
func (v *candidate) reproduce(ctx context.Context, g golden.Case) error {
	inputs, optional, err := v.order(g.Inputs)
	if err != nil {
		return permanent(err)
	}
	got, err := v.session.Run(ctx, append(inputs, optional...), g.Outputs)
	if err != nil {
		return err
	}
	if err := g.Check(got); err != nil {
		return permanent(err)
	}
	return nil
}
