package bundle_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"slipway/server/bundle"
)

// field appends a message, or a text, as a field to a message.
func field[T string | []byte](number protowire.Number, value T, to ...[]byte) []byte {
	message := bytes.Join(to, nil)
	return protowire.AppendBytes(protowire.AppendTag(message, number, protowire.BytesType), []byte(value))
}

func number(n protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), value)
}

// externalTensor is a tensor with external data of pairs of keys and values.
func externalTensor(pairs ...string) []byte {
	t := field(8, "w", number(1, 4), number(2, 1))
	for i := 0; i < len(pairs); i += 2 {
		t = field(13, field(2, pairs[i+1], field(1, pairs[i])), t)
	}
	return append(t, number(14, 1)...)
}

func TestReadExternal(t *testing.T) {
	t.Parallel()
	w := externalTensor("location", "w.bin", "offset", "4096", "length", "16", "checksum", "x")
	inline := field(9, strings.Repeat("\x08", 100_000), number(1, 4))
	graph := field(5, w)
	attribute := field(6, graph)
	only := []bundle.External{{Location: "w.bin", End: 4112, Bytes: 16}}
	for name, test := range map[string]struct {
		model []byte
		want  []bundle.External
	}{
		"nothing":                     {nil, nil},
		"an initializer":              {field(7, graph, number(1, 10), field(2, "exporter")), only},
		"behind weights in the file":  {field(7, field(5, w, field(5, inline), field(5, inline))), only},
		"a branch of If":              {field(7, field(1, field(5, attribute, field(4, "If")))), only},
		"a branch in a branch":        {field(7, field(1, field(5, field(6, field(1, field(5, attribute)))))), only},
		"a Constant":                  {field(7, field(1, field(5, field(5, w)))), only},
		"a list of tensors":           {field(7, field(1, field(5, field(10, w)))), only},
		"a sparse initializer":        {field(7, field(15, field(1, w))), only},
		"a function":                  {field(25, field(7, field(5, field(5, w)))), only},
		"training":                    {field(20, field(1, graph)), only},
		"no longer external":          {field(7, field(5, append(w, number(14, 0)...))), nil},
		"in a group of unknown sense": {append(append(protowire.AppendTag(nil, 99, protowire.StartGroupType), field(7, graph)...), protowire.AppendTag(nil, 99, protowire.EndGroupType)...), nil},
		"two tensors of one file, one of another": {field(7, field(5, externalTensor("location", "v"), field(5, externalTensor("location", "w.bin", "length", "8")), field(5, w))),
			[]bundle.External{{Location: "w.bin", End: 4112, Bytes: 24}, {Location: "v", Unsized: true}}},
		"nonsense for numbers": {field(7, field(5, externalTensor("location", "w", "offset", "-5", "length", "99999999999999999999"))),
			[]bundle.External{{Location: "w", End: 64 << 30, Bytes: 64 << 30}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := bundle.ReadExternal(bytes.NewReader(test.model), int64(len(test.model)))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

// What is cut short is an error beside what was found.
func TestReadExternalOfHalfAFile(t *testing.T) {
	t.Parallel()
	model := field(7, field(5, externalTensor("location", "v"), field(5, externalTensor("location", "w"))))
	for size := 1; size < len(model); size++ {
		_, err := bundle.ReadExternal(bytes.NewReader(model[:size]), int64(size))
		require.Error(t, err, size)
	}
	_, err := bundle.ReadExternal(bytes.NewReader([]byte("<!DOCTYPE html>")), 15)
	require.Error(t, err)
	_, err = bundle.ReadExternal(bytes.NewReader(nil), 100)
	require.Error(t, err, "a file that has become shorter")
}

func TestReadExternalIsBounded(t *testing.T) {
	t.Parallel()
	graph := field(5, externalTensor("location", "w"))
	for range 100 {
		graph = field(1, field(5, field(6, graph)))
	}
	model := field(7, graph)
	_, err := bundle.ReadExternal(bytes.NewReader(model), int64(len(model)))
	require.ErrorContains(t, err, "too deep")
	long := field(7, field(5, externalTensor("location", strings.Repeat("w", 5000))))
	_, err = bundle.ReadExternal(bytes.NewReader(long), int64(len(long)))
	require.ErrorContains(t, err, "more than 4096 bytes")
}

func FuzzReadExternal(f *testing.F) {
	models, err := filepath.Glob("../onnx/onnxtest/testdata/*.onnx")
	require.NoError(f, err)
	for _, path := range models {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, model []byte) {
		files, _ := bundle.ReadExternal(bytes.NewReader(model), int64(len(model)))
		for _, file := range files {
			assert.LessOrEqual(t, file.End, int64(128<<30))
			assert.LessOrEqual(t, len(file.Location), 4096)
		}
	})
}
