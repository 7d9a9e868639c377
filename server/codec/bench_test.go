package codec_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// load is one body of the benchmarks, and the tensor in it.
type load struct {
	name string
	spec tensor.Spec
	body []byte
	data any            // for encoding/json to encode
	into func() any     // for encoding/json to decode into
	out  *tensor.Tensor // for Append
}

func loads(tb testing.TB) []load {
	r := rand.New(rand.NewPCG(1, 2))
	digits7 := func() float32 { return float32(int(r.Float64()*1e7)) / 1e7 }
	full := func() float32 { return r.Float32()*2 - 1 }
	normal := func() float32 { return float32(r.NormFloat64()) }
	return []load{
		floats(tb, "fp32/4", digits7, 1, 4),
		floats(tb, "fp32/27648x7digits", digits7, 27648),
		floats(tb, "fp32/3x224x224", normal, 1, 3, 224, 224),
		floats(tb, "fp32/10000x4", full, 10000, 4),
		widened(tb, "fp32-as-fp64/3x224x224", normal, 1, 3, 224, 224),
		integers(tb, "int64/27648", func() int64 { return r.Int64N(2e9) - 1e9 }, 27648),
		integers(tb, "int64/pixels", func() int64 { return r.Int64N(256) }, 1, 3, 224, 224),
	}
}

func floats(tb testing.TB, name string, next func() float32, shape ...int64) load {
	data := fill(shape, next)
	body, err := json.Marshal(data)
	require.NoError(tb, err)
	return loadOf(tb, name, shape, data, body)
}

// widened is what numpy's tolist gives of float32: all the digits of a float64.
func widened(tb testing.TB, name string, next func() float32, shape ...int64) load {
	data := fill(shape, next)
	wide := make([]float64, len(data))
	for i, v := range data {
		wide[i] = float64(v)
	}
	body, err := json.Marshal(wide)
	require.NoError(tb, err)
	return loadOf(tb, name, shape, data, body)
}

func integers(tb testing.TB, name string, next func() int64, shape ...int64) load {
	data := fill(shape, next)
	body, err := json.Marshal(data)
	require.NoError(tb, err)
	return loadOf(tb, name, shape, data, body)
}

func fill[T any](shape []int64, next func() T) []T {
	n, _ := tensor.Count(shape)
	data := make([]T, n)
	for i := range data {
		data[i] = next()
	}
	return data
}

func loadOf[T tensor.Element](tb testing.TB, name string, shape []int64, data []T, list []byte) load {
	t, err := tensor.New(shape, data)
	require.NoError(tb, err)
	body := fmt.Sprintf(`{"inputs":[{"name":"x","shape":%s,"datatype":"%s","data":%s}]}`, tensor.ShapeString(shape), t.DType, list)
	type input struct {
		Name     string  `json:"name"`
		Shape    []int64 `json:"shape"`
		Datatype string  `json:"datatype"`
		Data     []T     `json:"data"`
	}
	return load{
		name: name,
		spec: tensor.Spec{Name: "x", DType: t.DType},
		body: []byte(body),
		data: map[string]any{"model_name": "m", "model_version": "1", "outputs": []input{{"y", shape, t.DType.String(), data}}},
		into: func() any {
			return &struct {
				Inputs []input `json:"inputs"`
			}{}
		},
		out: t,
	}
}

// library is a way to do the same with a general JSON library.
type library struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}

var libraries = []library{
	{"encoding/json", json.Marshal, json.Unmarshal},
	{"goccy", goccy.Marshal, goccy.Unmarshal},
	{"sonic", sonic.Marshal, sonic.Unmarshal},
}

// compare runs ours for the benchmark, then each library for about as long, and
// reports the speed and the ratios by processor time: unlike the clock, that is
// not the time of a neighbour on a shared machine.
func compare(b *testing.B, size int, ours func() error, theirs func(library) error) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start := processorTime(b)
	for b.Loop() {
		if err := ours(); err != nil {
			b.Fatal(err)
		}
	}
	spent := processorTime(b) - start
	b.StopTimer()
	each := spent.Seconds() / float64(b.N)
	b.ReportMetric(float64(size)/each/1e6, "cpu-MB/s")
	for _, l := range libraries {
		require.NoError(b, theirs(l)) // some compile at the first call
		start, n := processorTime(b), 0
		for n == 0 || processorTime(b)-start < spent/2 {
			require.NoError(b, theirs(l))
			n++
		}
		b.ReportMetric((processorTime(b)-start).Seconds()/float64(n)/each, "x-"+l.name)
	}
}

func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkDecode(b *testing.B) {
	for _, l := range loads(b) {
		b.Run(l.name, func(b *testing.B) {
			compare(b, len(l.body), func() error {
				_, err := codec.DecodeOIP(l.body, codec.Signature{Inputs: []tensor.Spec{l.spec}})
				return err
			}, func(lib library) error { return lib.unmarshal(l.body, l.into()) })
		})
	}
	b.Run("rows/10000x4", func(b *testing.B) {
		r := rand.New(rand.NewPCG(3, 4))
		rows := make([][]float32, 10000)
		for i := range rows {
			rows[i] = []float32{r.Float32(), r.Float32(), r.Float32(), r.Float32()}
		}
		body, err := json.Marshal(map[string]any{"instances": rows})
		require.NoError(b, err)
		spec := []tensor.Spec{{Name: "x", DType: tensor.FP32}}
		compare(b, len(body), func() error {
			_, err := codec.Decode(body, codec.Signature{Inputs: spec})
			return err
		}, func(lib library) error {
			var into struct {
				Instances [][]float32 `json:"instances"`
			}
			return lib.unmarshal(body, &into)
		})
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, l := range loads(b) {
		b.Run(l.name, func(b *testing.B) {
			r := &codec.Response{Model: "m", Version: "1", Form: codec.OIP, Outputs: []tensor.Named{{Name: "y", Value: l.out}}}
			dst, err := codec.Append(nil, r)
			require.NoError(b, err)
			compare(b, len(dst), func() error {
				dst, err = codec.Append(dst[:0], r)
				return err
			}, func(lib library) error {
				_, err := lib.marshal(l.data)
				return err
			})
		})
	}
}
