package onnx_test

import (
	"context"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/fault"
	"slipway/server/onnx"
	"slipway/server/onnx/onnxtest"
	"slipway/server/tensor"
)

func TestMain(m *testing.M) { onnxtest.Main(m) }

func open(t testing.TB, model string) *onnx.Session {
	t.Helper()
	s, err := onnx.Open(onnxtest.Model(t, model), onnx.Options{IntraOpThreads: 1})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func of[T tensor.Element](t testing.TB, shape []int64, data ...T) *tensor.Tensor {
	t.Helper()
	made, err := tensor.New(shape, data)
	require.NoError(t, err)
	return made
}

func runOne(t *testing.T, s *onnx.Session, inputs ...*tensor.Tensor) tensor.Value {
	t.Helper()
	outputs, err := s.Run(t.Context(), inputs, nil)
	require.NoError(t, err)
	require.Len(t, outputs, 1)
	return outputs[0].Value
}

func TestEveryDTypeComesBackAsItWent(t *testing.T) {
	shape := []int64{2, 2}
	for model, in := range map[string]*tensor.Tensor{
		"identity_bool":   of(t, shape, true, false, false, true),
		"identity_int8":   of[int8](t, shape, math.MinInt8, -1, 0, math.MaxInt8),
		"identity_int16":  of[int16](t, shape, math.MinInt16, -1, 0, math.MaxInt16),
		"identity_int32":  of[int32](t, shape, math.MinInt32, -1, 0, math.MaxInt32),
		"identity_int64":  of[int64](t, shape, math.MinInt64, -1, 0, math.MaxInt64),
		"identity_uint8":  of[uint8](t, shape, 0, 1, 2, math.MaxUint8),
		"identity_uint16": of[uint16](t, shape, 0, 1, 2, math.MaxUint16),
		"identity_uint32": of[uint32](t, shape, 0, 1, 2, math.MaxUint32),
		"identity_uint64": of[uint64](t, shape, 0, 1, 2, math.MaxUint64),
		"identity_fp16":   of(t, shape, tensor.ToFloat16(1.5), tensor.ToFloat16(-2), 0, tensor.ToFloat16(65504)),
		"identity_bf16":   of(t, shape, tensor.ToBFloat16(1.5), tensor.ToBFloat16(-2), 0, tensor.ToBFloat16(3e38)),
		"identity_fp32":   of[float32](t, shape, 1.5, -2, float32(math.Inf(1)), math.MaxFloat32),
		"identity_fp64":   of(t, shape, 1.5, -2, math.Inf(-1), math.MaxFloat64),
		"identity_bytes":  of(t, shape, "", "a", "größe", strings.Repeat("long ", 1000)),
	} {
		t.Run(model, func(t *testing.T) {
			s := open(t, model)
			require.NoError(t, s.Inputs()[0].Check(in))
			assert.Equal(t, in, runOne(t, s, in))

			none := &tensor.Tensor{DType: in.DType, Shape: []int64{0, 2}, Data: tensor.Make(in.DType, 0)}
			assert.Equal(t, none, runOne(t, s, none), "an empty tensor")
		})
	}
}

func TestScalars(t *testing.T) {
	for model, in := range map[string]*tensor.Tensor{
		"scalar_fp32":  of[float32](t, []int64{}, 1.5),
		"scalar_fp16":  of(t, []int64{}, tensor.ToFloat16(1.5)),
		"scalar_int64": of[int64](t, []int64{}, -7),
		"scalar_bytes": of(t, []int64{}, "one"),
	} {
		t.Run(model, func(t *testing.T) {
			assert.Equal(t, in, runOne(t, open(t, model), in))
		})
	}
}

func TestShapeThatTheRuntimeRefusesIsTheCallersFault(t *testing.T) {
	s := open(t, "static_batch")
	for _, shape := range [][]int64{{2, 4}, {8}} {
		in := &tensor.Tensor{DType: tensor.FP32, Shape: shape, Data: make([]float32, 8)}
		_, err := s.Run(t.Context(), []*tensor.Tensor{in}, nil)
		require.Error(t, err)
		assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err), err.Error())
	}
}

func TestSeveralInputsAndRequestedOutputs(t *testing.T) {
	s := open(t, "add_sub")
	a, b := make([]int32, 16), make([]int32, 16)
	for i := range a {
		a[i], b[i] = int32(i), 1
	}
	inputs := []*tensor.Tensor{of(t, []int64{1, 16}, a...), of(t, []int64{1, 16}, b...)}

	all, err := s.Run(t.Context(), inputs, nil)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "OUTPUT0", all[0].Name)
	assert.Equal(t, int32(4), all[0].Value.(*tensor.Tensor).Data.([]int32)[3])

	one, err := s.Run(t.Context(), inputs, []string{"OUTPUT1"})
	require.NoError(t, err)
	require.Len(t, one, 1)
	assert.Equal(t, all[1], one[0])

	_, err = s.Run(t.Context(), inputs, []string{"OUTPUT9"})
	assert.ErrorContains(t, err, `no output "OUTPUT9"`)
}

func TestSequencesAndMaps(t *testing.T) {
	for model, keys := range map[string]tensor.DType{"zipmap": tensor.Int64, "zipmap_strings": tensor.Bytes} {
		t.Run(model, func(t *testing.T) {
			s := open(t, model)
			outputs, err := s.Run(t.Context(), []*tensor.Tensor{of[float32](t, []int64{2, 4}, 6.8, 2.8, 4.8, 1.4, 5, 3, 1, .2)}, nil)
			require.NoError(t, err)
			rows, ok := outputs[1].Value.(tensor.Sequence)
			require.True(t, ok, "%T", outputs[1].Value)
			require.Len(t, rows, 2)
			first := rows[0].(tensor.Map)
			assert.Equal(t, keys, first.Keys.DType)
			total := float32(0)
			for _, p := range first.Values.Data.([]float32) {
				total += p
			}
			assert.InDelta(t, 1, total, 1e-5)
		})
	}
	pieces, ok := runOne(t, open(t, "sequence"), of[float32](t, []int64{2, 2}, 1, 2, 3, 4)).(tensor.Sequence)
	require.True(t, ok)
	assert.NotEmpty(t, pieces)
}

func TestOutputWithoutElements(t *testing.T) {
	s := open(t, "empty")
	shape := make([]int64, len(s.Inputs()[0].Shape))
	for i := range shape {
		shape[i] = 1
	}
	out := runOne(t, s, of[float32](t, shape, 0)).(*tensor.Tensor)
	count, err := tensor.Count(out.Shape)
	require.NoError(t, err)
	assert.Zero(t, count, tensor.ShapeString(out.Shape))
}

func TestExternalDataLiesBesideTheModel(t *testing.T) {
	out := runOne(t, open(t, "external"), of[float32](t, []int64{1, 4}, 0, 10, 20, 30))
	assert.Equal(t, []float32{1, 12, 23, 34}, out.(*tensor.Tensor).Data)

	alone := filepath.Join(t.TempDir(), "model.onnx")
	onnxtest.Put(t, alone, "external")
	_, err := onnx.Open(alone, onnx.Options{IntraOpThreads: 1})
	assert.ErrorContains(t, err, "external.data")
}

func TestRunTakesAsManyInputsAsTheModel(t *testing.T) {
	s := open(t, "add_sub")
	_, err := s.Run(t.Context(), nil, nil)
	require.EqualError(t, err, "got 0 inputs, the model takes 2")
	in := &tensor.Tensor{DType: tensor.Int32, Shape: []int64{1, 16}, Data: make([]int32, 16)}
	_, err = s.Run(t.Context(), []*tensor.Tensor{in, in}, []string{"OUTPUT0", "OUTPUT1", "OUTPUT0"})
	assert.ErrorContains(t, err, "more outputs")
}

// The runtime takes any rank where the model declares a scalar.
func TestManyDimensions(t *testing.T) {
	s := open(t, "scalar_fp32")
	for _, shape := range [][]int64{{1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1}, {4}} {
		in := of[float32](t, shape, 1, 2, 3, 4)
		assert.Equal(t, in, runOne(t, s, in))
	}
}

func TestRunThatFailsLeavesTheSessionUsable(t *testing.T) {
	s := open(t, "gather")
	in := s.Inputs()[0]
	bad := &tensor.Tensor{DType: in.DType, Shape: []int64{1}, Data: []int64{99}}
	good := &tensor.Tensor{DType: in.DType, Shape: []int64{1}, Data: []int64{2}}
	_, err := s.Run(t.Context(), []*tensor.Tensor{bad}, nil)
	require.Error(t, err)
	_, err = s.Run(t.Context(), []*tensor.Tensor{good}, nil)
	require.NoError(t, err)
}

func TestOpenNamesTheFile(t *testing.T) {
	for _, model := range []string{"corrupt", "absent"} {
		_, err := onnx.Open(strings.Replace(onnxtest.Model(t, "corrupt"), "corrupt", model, 1), onnx.Options{IntraOpThreads: 1})
		assert.ErrorContains(t, err, model+".onnx")
	}
}

// The garbage collector runs all the while: memory lent to C must stay in place.
func TestRunsAtOnce(t *testing.T) {
	s := open(t, "identity_fp32")
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for range 200 {
				data := make([]float32, 64)
				for i := range data {
					data[i] = float32(worker*1000 + i)
				}
				outputs, err := s.Run(t.Context(), []*tensor.Tensor{{DType: tensor.FP32, Shape: []int64{8, 8}, Data: data}}, nil)
				if assert.NoError(t, err) {
					assert.Equal(t, data, outputs[0].Value.(*tensor.Tensor).Data)
				}
				if worker == 0 {
					runtime.GC()
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkRun(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"endless": context.Background(), "can end": ctx} {
		b.Run(name, func(b *testing.B) {
			s := open(b, "identity_fp32")
			in := []*tensor.Tensor{of[float32](b, []int64{1, 4}, 1, 2, 3, 4)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Run(ctx, in, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
