package serving

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"slipway/server/modelconfig"
	"slipway/server/tensor"
)

// warmUp makes the runs that the settings describe, or else one on zeros with 1
// for every dimension that is open, so that the first request does not pay for
// ONNX Runtime's first allocations. Not every model takes zeros; that is no
// fault of the model. The inputs come back, for the runs that were taken.
func (v *Version) warmUp(ctx context.Context) ([][]*tensor.Tensor, error) {
	if len(v.config.WarmUp) == 0 {
		if v.takesNumbers() {
			return nil, errors.New("an input is a whole number, of which none can be made up; describe one under warmUp")
		}
		ctx, cancel := context.WithTimeout(ctx, warmUpLimit)
		defer cancel()
		inputs, err := v.synthetic(modelconfig.WarmUp{BatchSize: 1}, nil)
		if err != nil {
			return nil, err
		}
		if _, err := v.session.Run(ctx, inputs, nil); err != nil {
			return nil, err
		}
		return [][]*tensor.Tensor{inputs}, nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	var taken [][]*tensor.Tensor
	for _, w := range v.config.WarmUp {
		inputs, err := v.synthetic(w, random)
		if err != nil {
			return taken, fmt.Errorf("warm-up %q: %w", w.Name, err)
		}
		for range max(w.Count, 1) {
			if _, err := v.session.Run(ctx, inputs, nil); err != nil {
				return taken, fmt.Errorf("warm-up %q: %w", w.Name, err)
			}
		}
		taken = append(taken, inputs)
	}
	return taken, nil
}

// longRun is the time from which a run keeps a processor of Go's from others for
// long enough to matter. Beside shorter ones a spare processor costs more, in
// changes of threads, than it gives: a tenth, where a run takes half of this.
const longRun = time.Millisecond

// runsLong tells whether a warm run takes that long.
func (v *Version) runsLong(ctx context.Context, warm [][]*tensor.Tensor) bool {
	if len(warm) == 0 {
		return false
	}
	began := time.Now()
	_, err := v.session.Run(ctx, warm[0], nil)
	return err == nil && time.Since(began) >= longRun
}

// warmUpLimit is the longest run that nobody has asked for.
const warmUpLimit = 10 * time.Second

// takesNumbers tells whether the model has an input that is one whole number: a
// count or an axis, for which a wrong value can keep a run going for ever.
func (v *Version) takesNumbers() bool {
	for _, s := range v.Inputs {
		if len(s.Shape) == 0 && s.DType >= tensor.Int8 && s.DType <= tensor.Uint64 {
			return true
		}
	}
	return false
}

// synthetic makes inputs of zeros, or of random values where w says so.
func (v *Version) synthetic(w modelconfig.WarmUp, random *rand.Rand) ([]*tensor.Tensor, error) {
	inputs := make([]*tensor.Tensor, len(v.Inputs))
	for i, spec := range v.Inputs {
		given, named := w.Inputs[spec.Name]
		shape := make([]int64, len(spec.Shape))
		for d, size := range spec.Shape {
			shape[d] = max(size, 1)
		}
		if named {
			shape = append([]int64{}, given.Dims...)
			if len(given.Dims) == len(spec.Shape)-1 { // as Triton writes them, without the batch
				shape = append([]int64{int64(max(w.BatchSize, 1))}, given.Dims...)
			}
		} else if len(shape) > 0 && spec.Shape[0] < 0 {
			shape[0] = int64(max(w.BatchSize, 1))
		}
		count, err := tensor.Count(shape)
		if err != nil {
			return nil, err
		}
		inputs[i] = &tensor.Tensor{DType: spec.DType, Shape: shape, Data: tensor.Make(spec.DType, int(count))}
		if named && given.Random {
			scatter(inputs[i], random)
		}
	}
	return inputs, nil
}

// scatter fills a tensor with values that most models take: reals from -1 to 1,
// 0 and 1 where an index may be meant, short words.
func scatter(t *tensor.Tensor, random *rand.Rand) {
	real := func() float32 { return random.Float32()*2 - 1 }
	bit := func() int { return random.IntN(2) }
	switch data := t.Data.(type) {
	case []float32:
		fill(data, real)
	case []float64:
		fill(data, func() float64 { return float64(real()) })
	case []tensor.Float16:
		fill(data, func() tensor.Float16 { return tensor.ToFloat16(real()) })
	case []tensor.BFloat16:
		fill(data, func() tensor.BFloat16 { return tensor.ToBFloat16(real()) })
	case []bool:
		fill(data, func() bool { return bit() == 1 })
	case []string:
		fill(data, func() string { return [...]string{"a", "b"}[bit()] })
	case []int8:
		fill(data, func() int8 { return int8(bit()) })
	case []int16:
		fill(data, func() int16 { return int16(bit()) })
	case []int32:
		fill(data, func() int32 { return int32(bit()) })
	case []int64:
		fill(data, func() int64 { return int64(bit()) })
	case []uint8:
		fill(data, func() uint8 { return uint8(bit()) })
	case []uint16:
		fill(data, func() uint16 { return uint16(bit()) })
	case []uint32:
		fill(data, func() uint32 { return uint32(bit()) })
	case []uint64:
		fill(data, func() uint64 { return uint64(bit()) })
	}
}

func fill[T any](data []T, next func() T) {
	for i := range data {
		data[i] = next()
	}
}
