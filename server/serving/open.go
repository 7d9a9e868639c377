package serving

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"time"

	"slipway/server/batch"
	"slipway/server/golden"
	"slipway/server/modelconfig"
	"slipway/server/onnx"
	"slipway/server/repository"
	"slipway/server/telemetry"
	"slipway/server/tensor"
)

// open makes a version and proves it: opens the model, warms it up, reproduces its
// golden answers, verifies its batching.
func (c *Catalog) open(ctx context.Context, b repository.Bundle, s modelconfig.Config, load telemetry.Load, log *slog.Logger) (*Version, error) {
	sizes := c.options.Size(s)
	session, err := onnx.Open(b.Path, onnx.Options{IntraOpThreads: sizes.IntraOpThreads, Arena: s.Memory.Arena, Memory: c.options.Memory})
	if err != nil {
		return nil, err
	}
	v := &Version{
		Model: b.Model, Number: strconv.FormatInt(b.Version, 10),
		Inputs: session.Inputs(), Outputs: session.Outputs(),
		Instances: sizes.Instances, IntraOpThreads: sizes.IntraOpThreads,
		bundle: b, config: s, session: session, unheld: make(chan struct{}),
	}
	v.holds.Store(1)
	if err := c.prove(ctx, v, load, log); err != nil {
		return nil, errors.Join(err, session.Close())
	}
	v.statistics.batches = make([]batchStatistics, max(1, v.MaxBatchSize)+1)
	v.metrics = c.metrics.NewVersion(v.Model, v.Number)
	v.queue = batch.New(session.Run, batch.Options{
		Instances:    v.Instances,
		MaxBatchSize: v.MaxBatchSize, PreferredBatchSizes: s.Batching.PreferredBatchSizes, MaxQueueDelay: s.Batching.MaxQueueDelay,
		MaxQueueRequests: s.Queue.MaxRequests, MaxQueueBytes: s.Queue.MaxBytes,
		PriorityLevels: s.Queue.PriorityLevels, DefaultPriority: s.Queue.DefaultPriority,
	}, observer{v.metrics, v, log})
	return v, nil
}

func (c *Catalog) prove(ctx context.Context, v *Version, load telemetry.Load, log *slog.Logger) error {
	if err := v.checkDeclared(); err != nil {
		return permanent(err)
	}
	warm, err := v.warmUp(ctx)
	if err != nil {
		log.Info("warm-up run refused", "reason", err)
	}
	if c.options.LongRuns != nil && v.runsLong(ctx, warm) {
		c.options.LongRuns()
	}
	cases, err := v.goldenCases()
	if err != nil {
		return err
	}
	for i, g := range cases {
		if err := v.reproduce(ctx, g); err != nil {
			load.GoldenMismatch()
			return fmt.Errorf("golden answer %d of %s: %w", i+1, v.bundle.Golden, err)
		}
	}
	if v.config.Batching.MaxBatchSize < 2 {
		return nil
	}
	began := time.Now()
	err = v.verifyBatching(ctx, cases, warm)
	switch {
	case err == nil:
		v.MaxBatchSize = v.config.Batching.MaxBatchSize
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		v.refuseBatching(err, log)
	}
	load.Verified(time.Since(began), err != nil)
	return nil
}

// goldenCases reads the golden answers, of which there may be none.
func (v *Version) goldenCases() ([]golden.Case, error) {
	if v.bundle.Golden == "" {
		return nil, nil
	}
	file, err := v.bundle.OpenGolden()
	if err != nil {
		return nil, fmt.Errorf("read golden answers: %w", err)
	}
	defer file.Close()
	cases, err := golden.Read(file, v.Inputs, v.Outputs)
	if err == nil {
		return cases, nil
	}
	err = fmt.Errorf("read golden answers of %s: %w", v.bundle.Golden, err)
	if unread := (*fs.PathError)(nil); errors.As(err, &unread) {
		return nil, err
	}
	return nil, permanent(err)
}

// checkDeclared compares what a config.pbtxt declares with the model.
func (v *Version) checkDeclared() error {
	for _, d := range v.config.Declared {
		specs, kind := v.Outputs, "output"
		if d.Input {
			specs, kind = v.Inputs, "input"
		}
		at := indexOf(specs, d.Name)
		if at < 0 {
			return fmt.Errorf("config.pbtxt: %s %q: the model has none of that name; it has %s", kind, d.Name, tensor.QuotedNames(specs))
		}
		if specs[at].Kind != tensor.KindTensor {
			continue
		}
		if specs[at].DType != d.DType {
			return fmt.Errorf("config.pbtxt: %s %q: data_type is %s, the model's is %s", kind, d.Name, d.DType, specs[at].DType)
		}
		if d.Dims != nil && !compatible(d.Dims, specs[at].Shape) {
			return fmt.Errorf("config.pbtxt: %s %q: dims make the shape %s, the model's is %s", kind, d.Name,
				tensor.ShapeString(d.Dims), tensor.ShapeString(specs[at].Shape))
		}
	}
	return nil
}

// compatible reports whether two shapes are the same where neither is open. The rank
// of a model's empty shape is not known.
func compatible(a, b []int64) bool {
	if len(b) == 0 {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] >= 0 && b[i] >= 0 && a[i] != b[i] {
			return false
		}
	}
	return true
}

// reproduce runs a golden request and compares the response.
func (v *Version) reproduce(ctx context.Context, g golden.Case) error {
	inputs, err := v.order(g.Inputs)
	if err != nil {
		return permanent(err)
	}
	got, err := v.session.Run(ctx, inputs, g.Outputs)
	if err != nil {
		return err
	}
	if err := g.Check(got); err != nil {
		return permanent(err)
	}
	return nil
}
