package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/server/golden"
	"slipway/server/tensor"
)

const (
	// proofMemory bounds the inputs and outputs of a run that proves batching: a small pod
	// has 1 GiB, which it needs for the requests that it serves meanwhile.
	proofMemory = 64 << 20
	// proofTime is after how long no larger batch is run.
	proofTime = 2 * time.Second
	// otherRows bounds the batches of all samples but the first.
	otherRows = 16
)

// Proof is what has been shown of batches.
type Proof struct {
	Size   int    // rows of the largest batch that was run
	Bounds string // why no larger one was, or empty
}

// Verify runs rows one by one and in batches of up to size rows, and compares. The error
// is why requests must not be batched.
func Verify(ctx context.Context, m Model, a Axes, size int) (Proof, error) {
	if err := m.batchable(a); err != nil {
		return Proof{}, err
	}
	p := prover{sampler: sampler{model: &m, axes: a.Inputs, until: time.Now().Add(proofTime)}, outputs: a.Outputs}
	var proof Proof
	for found := range p.all(ctx) {
		if !found.distinct() {
			continue
		}
		most := size
		if proof.Size > 0 {
			most = min(size, otherRows)
		}
		next, err := p.verify(ctx, found, most)
		if err != nil {
			return Proof{}, err
		}
		if proof.Size == 0 {
			proof = next
		}
		if p.spent() {
			break
		}
	}
	switch {
	case proof.Size > 0:
		return proof, nil
	case p.err != nil:
		return Proof{}, fmt.Errorf("a run that was to show whether rows keep apart failed: %w; add golden answers or a warmUp that the model takes", p.err)
	}
	return Proof{}, errors.New("no two different rows could be made; add golden answers")
}

// batchable checks that every input and output has rows.
func (m *Model) batchable(a Axes) error {
	if len(m.Inputs) == 0 {
		return errors.New("the model has no inputs, so it has no rows")
	}
	for i, s := range m.Inputs {
		if a.Inputs[i] == tensor.NoRows || len(s.Shape) == 0 || s.Shape[a.Inputs[i].Axis()] >= 0 {
			if len(openAxes(s)) == 0 || len(s.Shape) == 0 || s.Shape[0] >= 0 {
				return fmt.Errorf("input %q has the fixed shape %s: its first axis takes no batch", s.Name, tensor.ShapeString(s.Shape))
			}
			return fmt.Errorf("input %q of shape %s has no axis for rows", s.Name, tensor.ShapeString(s.Shape))
		}
	}
	for i, s := range m.Outputs {
		if a.Outputs[i] == tensor.NoRows {
			return fmt.Errorf("output %q has no axis for rows: it does not follow their number", s.Name)
		}
	}
	return nil
}

type prover struct {
	sampler
	outputs []tensor.RowAxis
}

// verify runs a batch of two rows and one of as many as the bounds allow.
func (p *prover) verify(ctx context.Context, found *sample, most int) (Proof, error) {
	began := time.Now()
	if err := p.verifySize(ctx, found, 2); err != nil {
		return Proof{}, err
	}
	proof := Proof{Size: most}
	if fit := int(proofMemory / max(1, found.rowBytes())); fit < proof.Size {
		proof = Proof{max(2, fit), fmt.Sprintf("its inputs and outputs would have more than %d MiB", proofMemory>>20)}
	}
	each := time.Since(began) / 2
	if fit := int(time.Until(p.until) / max(1, each)); fit < proof.Size {
		proof = Proof{max(2, fit), "it would take more than " + proofTime.String()}
	}
	if proof.Size == 2 {
		return proof, nil
	}
	return proof, p.verifySize(ctx, found, proof.Size)
}

// rowBytes returns the memory of one row's inputs and outputs.
func (s *sample) rowBytes() (sum int64) {
	for _, in := range s.rows[0] {
		sum += in.Bytes()
	}
	for _, out := range s.single[0] {
		sum += tensor.SizeOf(out.Value)
	}
	return sum
}

// verifySize runs a batch of that many rows, which take turns, and compares the
// outputs of each with those of its single run.
func (p *prover) verifySize(ctx context.Context, found *sample, size int) error {
	batch, err := p.stack(found.rows, size)
	if err != nil {
		return err
	}
	outputs, err := p.model.Run(ctx, batch)
	if err != nil {
		return fmt.Errorf("a batch of %d rows fails: %w", size, err)
	}
	for r := range size {
		got, err := p.rowOf(outputs, r, size)
		if err != nil {
			return err
		}
		if err := golden.Equal(got, found.single[r%len(found.rows)], found.tolerance); err != nil {
			return fmt.Errorf("row %d of a batch of %d differs from its single run: %w", r, size, err)
		}
	}
	return nil
}

// rowOf returns one row of every output of a batch.
func (p *prover) rowOf(outputs []tensor.Named, row, rows int) ([]tensor.Named, error) {
	one := make([]tensor.Named, len(outputs))
	for i, out := range outputs {
		axis := p.outputs[i].Axis()
		if n, ok := tensor.RowsOf(out.Value, axis); !ok || n != rows {
			return nil, fmt.Errorf("output %q of a batch of %d rows %s", out.Name, rows, described(out.Value))
		}
		one[i] = tensor.Named{Name: out.Name, Value: tensor.SliceOf(out.Value, axis, row, row+1)}
	}
	return one, nil
}

// described says what an output is.
func described(v tensor.Value) string {
	switch v := v.(type) {
	case *tensor.Tensor:
		return "has shape " + tensor.ShapeString(v.Shape)
	case tensor.Sequence:
		return fmt.Sprintf("is a sequence of %d", len(v))
	}
	return "is a map"
}
