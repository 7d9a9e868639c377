package serving

import (
	"context"
	"fmt"
	"time"

	"slipway/server/golden"
	"slipway/server/rows"
	"slipway/server/tensor"
	"slipway/server/trial"
)

// learnRows finds out where the model's rows are, and verifies batching if the
// configuration enables it. The error is that of a proof that was given up.
func (v *candidate) learnRows(ctx context.Context, cases []golden.Case, warm [][]*tensor.Tensor, to trial.Progress, result *trial.Result) error {
	m := v.rowsModel(cases, warm)
	axes := rows.ByNames(m)
	result.InputRows, result.OutputRows = axes.Inputs, axes.Outputs
	to.Passed(*result) // inputs that were made up may end the process, or take its memory
	to.Step(stepRows)
	axes, err := rows.Learn(ctx, m)
	result.InputRows, result.OutputRows = axes.Inputs, axes.Outputs
	if err != nil {
		result.RowsUnlearned = err.Error()
	}
	to.Passed(*result)
	if v.config.Batching.MaxBatchSize < 2 {
		return context.Cause(ctx)
	}
	to.Step(stepVerify)
	began := time.Now()
	proof, err := rows.Verify(ctx, m, axes, v.config.Batching.MaxBatchSize)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		result.BatchingRefused = err.Error()
	} else {
		result.MaxBatchSize, result.ProvedBatchSize = v.config.Batching.MaxBatchSize, proof.Size
		if proof.Bounds != "" {
			result.Unproved = fmt.Sprintf("batches of more than %d rows were not verified: %s", proof.Size, proof.Bounds)
		}
	}
	result.Verified = time.Since(began)
	return nil
}

// rowsModel describes the model to package rows. The shapes of a warm-up that nobody
// has described are made up, and package rows makes better ones.
func (v *candidate) rowsModel(cases []golden.Case, warm [][]*tensor.Tensor) rows.Model {
	m := rows.Model{
		Inputs: v.Inputs, Outputs: v.Outputs, OnlyGiven: v.takesNumbers(),
		Run: func(ctx context.Context, inputs []*tensor.Tensor) ([]tensor.Named, error) {
			return v.session.Run(ctx, inputs, nil)
		},
	}
	for _, g := range cases {
		// reproduce has reported an error; a request with optional inputs shares no run
		if inputs, optional, err := v.order(g.Inputs); err == nil && optional == nil {
			m.Golden = append(m.Golden, rows.Example{Inputs: inputs, Tolerance: g.Tolerance})
		}
	}
	if len(v.config.WarmUp) > 0 {
		for _, inputs := range warm {
			m.Shapes = append(m.Shapes, inputs[:len(v.Inputs)])
		}
	}
	return m
}

// applyRows makes what was learned of the rows part of the inputs and outputs.
func (v *candidate) applyRows(r trial.Result) {
	v.Inputs, v.Outputs = rows.Apply(v.Inputs, r.InputRows), rows.Apply(v.Outputs, r.OutputRows)
	v.Optional = rows.ApplyOptional(v.Optional, v.Inputs)
}

// batchAxes returns the axes of the inputs' rows, and those of the outputs' that are not
// the first, for the queue.
func (v *candidate) batchAxes() (inputs []int, outputs map[string]int) {
	outputs = map[string]int{}
	for _, s := range v.Inputs {
		inputs = append(inputs, s.Rows.Axis())
	}
	for _, s := range v.Outputs {
		if axis := s.Rows.Axis(); axis > 0 {
			outputs[s.Name] = axis
		}
	}
	return inputs, outputs
}
