package serving_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"slipway/server/onnx/onnxtest"
	"slipway/server/serving"
	"slipway/server/telemetry"
	"slipway/server/trial"
)

// BenchmarkStart measures what trials cost at a start: of 20 small models, and of one
// with 500 MB of weights.
func BenchmarkStart(b *testing.B) {
	small := b.TempDir()
	for i := range 20 {
		onnxtest.Put(b, filepath.Join(small, fmt.Sprint("m", i), "1", "model.onnx"), "constant_1")
	}
	large := b.TempDir()
	writeLarge(b, filepath.Join(large, "m.onnx"), 11180)
	for name, folder := range map[string]string{"small": small, "large": large} {
		for _, tried := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/trial=%t", name, tried), func(b *testing.B) {
				for b.Loop() {
					o := serving.Options{Folder: folder, Processors: 2, IntraOpThreads: 1}
					if tried {
						o.Trials = trials(b, trial.Options{})
					}
					c := serving.NewCatalog(o, telemetry.NewLogger(&bytes.Buffer{}, 0), telemetry.NewMetrics(prometheus.NewRegistry(), telemetry.Build{}))
					require.NoError(b, c.LoadAll(b.Context()))
					require.NoError(b, c.Ready())
					c.Close()
				}
			})
		}
	}
}

// writeLarge writes the model y = x · W with n × n weights.
func writeLarge(b *testing.B, path string, n int) {
	b.Helper()
	field := func(to []byte, number protowire.Number, value []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), value)
	}
	integer := func(to []byte, number protowire.Number, value int) []byte {
		return protowire.AppendVarint(protowire.AppendTag(to, number, protowire.VarintType), uint64(value))
	}
	const float = 1
	value := func(name string) []byte {
		shape := field(nil, 1, integer(nil, 1, 1))
		shape = field(shape, 1, integer(nil, 1, n))
		kind := field(nil, 1, field(integer(nil, 1, float), 2, shape))
		return field(field(nil, 1, []byte(name)), 2, kind)
	}
	node := field(field(field(field(nil, 1, []byte("x")), 1, []byte("W")), 2, []byte("y")), 4, []byte("MatMul"))
	weights := integer(integer(integer(nil, 1, n), 1, n), 2, float)
	weights = field(field(weights, 8, []byte("W")), 9, make([]byte, 4*n*n))
	graph := field(field(field(nil, 1, node), 2, []byte("large")), 5, weights)
	graph = field(field(graph, 11, value("x")), 12, value("y"))
	model := field(field(integer(nil, 1, 10), 7, graph), 8, integer(nil, 2, 21))
	require.NoError(b, os.WriteFile(path, model, 0o600))
}
