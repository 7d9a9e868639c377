package serving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"slipway/server/admission"
	"slipway/server/batch"
	"slipway/server/crashmark"
	"slipway/server/modelconfig"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// candidate is a version whose model is open, served or not yet.
type candidate struct {
	Inputs, Outputs []tensor.Spec
	// Optional are the inputs that have a default. What is proved of a version is proved with
	// the defaults, and a request that gives one of them runs by itself.
	Optional []tensor.Spec

	bundle  repository.Bundle
	config  modelconfig.Config
	session *onnx.Session
	threads int               // of one run
	shared  []sharedDimension // of what Accepts returns

	refusesEmpty bool // inputs without elements
}

// Runtime names what runs the models, with its version.
func Runtime() string { return "ONNX Runtime " + onnx.Version() }

func openCandidate(r trial.Request, memory *admission.Budget) (candidate, error) {
	session, err := onnx.Open(r.Bundle.Path, onnx.Options{
		IntraOpThreads: r.IntraOpThreads, Arena: r.Settings.Memory.Arena, ExternalBytes: r.Bundle.External, Memory: memory,
	})
	if err != nil {
		if is := r.Bundle.Format(); is != "" {
			err = permanent(fmt.Errorf("open %s: the file is %s", r.Bundle.Path, is))
		}
		return candidate{}, err
	}
	v := candidate{
		Inputs: session.Inputs(), Optional: session.Optional(), Outputs: session.Outputs(),
		bundle: r.Bundle, config: r.Settings, session: session, threads: r.IntraOpThreads,
	}
	v.shared = sharedDimensions(v.Accepts())
	return v, nil
}

// open makes a version that has proved itself, in a trial if the catalog has trials.
func (c *Catalog) open(ctx context.Context, b repository.Bundle, s modelconfig.Config, load telemetry.Load, log *slog.Logger) (*Version, error) {
	mark, err := c.options.Crashes.Mark(b.Model, strconv.FormatInt(b.Version, 10), b.Fingerprint)
	if err != nil {
		return nil, permanent(err)
	}
	sizes := c.options.Size(s)
	r := trial.Request{Bundle: b, Settings: s, IntraOpThreads: sizes.IntraOpThreads}
	passed, release, err := c.try(ctx, r, log)
	if err != nil {
		mark.Free()
		return nil, c.loadFailure(err, load)
	}
	defer release()
	if c.options.Opening != nil {
		defer c.options.Opening()()
	}
	opened, err := c.native(ctx, func(ctx context.Context) (proved, error) {
		mark.Begin() // a model that passed its trial can still end the process here
		defer mark.End()
		return c.prepare(ctx, r, passed)
	})
	if err != nil {
		mark.Free()
		return nil, c.loadFailure(err, load)
	}
	return c.serve(opened, sizes, mark, load, log), nil
}

// try runs a version's trial. The result is nil if the catalog has none.
func (c *Catalog) try(ctx context.Context, r trial.Request, log *slog.Logger) (passed *trial.Result, release func(), err error) {
	if c.options.Trials == nil {
		return nil, func() {}, nil
	}
	result, release, err := c.options.Trials.Run(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var took []any
	for _, step := range result.Steps {
		took = append(took, slog.Float64(strings.ReplaceAll(step.Name, " ", "_"), step.Took.Seconds()))
	}
	log.Info("trial passed", "peak_bytes", result.PeakBytes, slog.Group("seconds", took...))
	return &result, release, nil
}

// proved is a candidate and what it has shown.
type proved struct {
	candidate
	result trial.Result
}

// prepare opens a version. One that has passed a trial is only warmed up: the trial
// has shown the rest.
func (c *Catalog) prepare(ctx context.Context, r trial.Request, passed *trial.Result) (proved, error) {
	opened, err := openCandidate(r, c.options.Memory)
	if err != nil {
		return proved{}, err
	}
	p := proved{candidate: opened}
	if passed == nil {
		p.result, err = p.prove(ctx, trial.Progress{})
	} else {
		p.result = *passed
		p.applyRows(p.result)
		p.refusesEmpty = p.result.RefusesEmpty
		if p.result.Died != "" && p.result.MaxBatchSize == 0 && r.Settings.Batching.MaxBatchSize > 1 && p.result.BatchingRefused == "" {
			p.result.BatchingRefused = p.result.Died
		}
		if passed.WarmUpRefused == "" { // what failed within the trial's limits may end the server
			_, _ = p.warmUp(ctx)
		}
		err = context.Cause(ctx)
	}
	if err == nil {
		err = r.Bundle.Unchanged(ctx)
	}
	if err != nil {
		return proved{}, errors.Join(err, p.session.Close())
	}
	return p, nil
}

// serve makes the version of what has been proved.
func (c *Catalog) serve(p proved, sizes Size, mark *crashmark.Mark, load telemetry.Load, log *slog.Logger) *Version {
	v := &Version{
		candidate: p.candidate, Model: p.bundle.Model, Number: strconv.FormatInt(p.bundle.Version, 10),
		MaxBatchSize: p.result.MaxBatchSize, ProvedBatchSize: p.result.ProvedBatchSize, Unproved: p.result.Unproved, Instances: sizes.Instances, IntraOpThreads: sizes.IntraOpThreads,
		catalog: c, mark: mark, unheld: make(chan struct{}),
	}
	v.holds.Store(1)
	if p.result.WarmUpRefused != "" {
		log.Info("warm-up run refused", "reason", p.result.WarmUpRefused)
	}
	if p.result.Died != "" {
		log.Warn("trial died after it had passed", "reason", p.result.Died, "refuses_inputs_without_elements", p.result.RefusesEmpty)
	}
	if p.result.RowsUnlearned != "" {
		log.Info("rows not learned", "reason", p.result.RowsUnlearned)
	}
	if p.result.BatchingRefused != "" {
		v.refuseBatching(p.result.BatchingRefused, log)
	}
	if p.result.Unproved != "" {
		log.Info("batching verified in part", "max_batch_size", p.result.MaxBatchSize, "proved_batch_size", p.result.ProvedBatchSize, "reason", p.result.Unproved)
	}
	if p.result.Verified > 0 {
		load.Verified(p.result.Verified, p.result.BatchingRefused != "")
	}
	if p.result.RunsLong && c.options.LongRuns != nil {
		c.options.LongRuns()
	}
	s := p.config
	v.statistics.batches = make([]batchStatistics, max(1, v.MaxBatchSize)+1)
	v.metrics = c.metrics.NewVersion(v.Model, v.Number)
	inputAxes, outputAxes := v.batchAxes()
	v.queue = batch.New(v.run, batch.Options{
		Instances:    v.Instances,
		MaxBatchSize: v.MaxBatchSize, PreferredBatchSizes: s.Batching.PreferredBatchSizes, MaxQueueDelay: s.Batching.MaxQueueDelay,
		MaxQueueRequests: s.Queue.MaxRequests, MaxQueueBytes: s.Queue.MaxBytes,
		PriorityLevels: s.Queue.PriorityLevels, DefaultPriority: s.Queue.DefaultPriority,
		InputAxes: inputAxes, OutputAxes: outputAxes,
	}, observer{v.metrics, v, log})
	return v
}

// run runs the model, marked so that a crash of the process can be told from others.
func (v *Version) run(ctx context.Context, inputs []*tensor.Tensor, outputs []string) ([]tensor.Named, error) {
	v.mark.Begin()
	defer v.mark.End()
	return v.session.Run(ctx, inputs, outputs)
}

// loadFailure records why a load failed and marks a failure that stays.
func (c *Catalog) loadFailure(err error, load telemetry.Load) error {
	failure := (*trial.Failure)(nil)
	tried := errors.As(err, &failure)
	if isMismatch(err) || tried && failure.GoldenMismatch {
		load.GoldenMismatch()
	}
	if tried && failure.Permanent {
		return permanent(err)
	}
	return err
}

// afterDeadline is how long native code that was told to end may take until it is
// left behind.
const afterDeadline = time.Second

// native runs a function that calls ONNX Runtime, which does not always end when it
// should. Then it is left behind, and what it opens after all is closed.
func (c *Catalog) native(ctx context.Context, open func(context.Context) (proved, error)) (proved, error) {
	if limit := c.options.LoadTimeout; limit > 0 {
		late := fmt.Errorf("the load did not end within %s (repository.loadTimeout)", limit)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, late)
		defer cancel()
	}
	type outcome struct {
		proved
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		p, err := open(ctx)
		done <- outcome{p, err}
	}()
	select {
	case o := <-done:
		return o.proved, o.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(afterDeadline)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.proved, o.err
	case <-timer.C:
	}
	c.leftBehind.Add(1)
	go func() {
		defer c.leftBehind.Add(-1)
		if o := <-done; o.err == nil {
			o.err = o.session.Close()
			c.log.Info("a load that was left behind has ended", "model", o.bundle.Model, "error", o.err)
		}
	}()
	return proved{}, fmt.Errorf("%w; ONNX Runtime has not ended and is left behind", context.Cause(ctx))
}
