package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// reportsFD is the file descriptor that the child writes its reports to. Standard
// output is not it: libraries may print there.
const reportsFD = 3

// Setup prepares the process, which has limited itself, for a proof.
type Setup func(library string, l Limits) error

// Prove opens and proves a version, and reports its progress. A *Failure is
// why the version did not pass; any other error counts as one that may pass.
type Prove func(ctx context.Context, r Request, to Progress) (Result, error)

// Main is the child: it limits itself, proves the version that it reads from
// standard input and reports.
func Main(setup Setup, prove Prove) error {
	reports := os.NewFile(reportsFD, "reports")
	if info, err := reports.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return errors.New("trial: is run by slipway serve, validate and inspect only")
	}
	var t task
	if err := json.NewDecoder(os.Stdin).Decode(&t); err != nil {
		return fmt.Errorf("trial: read the task: %w", err)
	}
	if err := t.Limits.apply(); err != nil {
		return fmt.Errorf("trial: limit the process: %w", err)
	}
	if err := setup(t.Library, t.Limits); err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	lines := json.NewEncoder(reports)
	steps := newSteps(func(name string) { _ = lines.Encode(report{Step: name}) }) // without a reader the process is about to be killed
	result, err := prove(context.Background(), t.Request, Progress{step: steps.begin, passed: func(r Result) {
		r.Steps = steps.all
		_ = lines.Encode(report{Passed: &r}) // as above
	}})
	last := report{Result: &result}
	if err != nil {
		last = report{Failure: failureOf(err)}
	}
	result.Steps, result.PeakBytes = steps.end(), heldBy(os.Getpid())
	if err := lines.Encode(last); err != nil {
		return fmt.Errorf("trial: report: %w", err)
	}
	return nil
}

func failureOf(err error) *Failure {
	if f := (*Failure)(nil); errors.As(err, &f) {
		return f
	}
	return &Failure{Reason: err.Error()}
}

// steps measures the steps of a proof.
type steps struct {
	report func(name string)
	all    []Step
	began  time.Time
}

func newSteps(report func(name string)) *steps { return &steps{report: report} }

func (s *steps) begin(name string) {
	s.end()
	s.all, s.began = append(s.all, Step{Name: name}), time.Now()
	s.report(name)
}

func (s *steps) end() []Step {
	if n := len(s.all); n > 0 && s.all[n-1].Took == 0 {
		s.all[n-1].Took = time.Since(s.began)
	}
	return s.all
}
