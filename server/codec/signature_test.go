package codec_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// expanding are bodies that become far more than they are.
func expanding() map[string]struct {
	body   string
	header int
	spec   tensor.Spec
} {
	type body = struct {
		body   string
		header int
		spec   tensor.Spec
	}
	const n = 200_000
	many := func(element string) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	all := map[string]body{}
	for _, d := range []tensor.DType{tensor.Bool, tensor.Int8, tensor.Int64, tensor.FP16, tensor.FP32, tensor.FP64, tensor.Bytes} {
		element := "1"
		switch d {
		case tensor.Bool:
			element = "true"
		case tensor.Bytes:
			element = `""`
		}
		x := tensor.Spec{Name: "x", DType: d, Shape: []int64{-1}}
		all["columns of "+d.String()] = body{`{"inputs":{"x":[` + many(element) + `]}}`, -1, x}
		all["rows of "+d.String()] = body{`{"instances":[` + many(element) + `]}`, -1, x}
		all["tensor of "+d.String()] = body{fmt.Sprintf(`{"inputs":[{"name":"x","datatype":"%s","shape":[%d],"data":[%s]}]}`, d, n, many(element)), -1, x}
	}
	text := tensor.Spec{Name: "x", DType: tensor.Bytes, Shape: []int64{-1}}
	all["short strings"] = body{`{"inputs":{"x":[` + many(`"ab"`) + `]}}`, -1, text}
	all["arrays of nothing"] = body{`{"inputs":{"x":[` + many(`[]`) + `]}}`, -1, text}
	all["empty binary strings"] = body{string(make([]byte, 4*n)), 0, text}
	var parameters strings.Builder
	for i := range n {
		fmt.Fprintf(&parameters, `,"%x":1`, i)
	}
	all["parameters"] = body{`{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["a"]}],"parameters":{` + parameters.String()[1:] + `}}`, -1, text}
	head := fmt.Sprintf(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[%d],"parameters":{"binary_data_size":%d}}]}`, n, 4*n)
	all["empty binary strings behind JSON"] = body{head + string(make([]byte, 4*n)), len(head), text}
	return all
}

func decodeAny(body []byte, header int, s codec.Signature) (*codec.Request, error) {
	if header >= 0 {
		return codec.DecodeBinary(body, header, s)
	}
	return codec.Decode(body, s)
}

// TestMemoryIsCharged compares what is charged with what is held.
func TestMemoryIsCharged(t *testing.T) {
	for name, test := range expanding() {
		t.Run(name, func(t *testing.T) {
			var charged int64
			s := codec.Signature{Inputs: []tensor.Spec{test.spec}, Memory: func(n int64) error { charged += n; return nil }}
			if name == "empty binary strings" { // one element is what a body without JSON is
				s.Inputs[0].Shape = []int64{1}
			}
			body := []byte(test.body)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			r, err := decodeAny(body, test.header, s)
			runtime.GC()
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
			assert.GreaterOrEqual(t, charged+charged/4+64<<10, held) // with the race detector a little more is held
			assert.Less(t, charged, 4*held+int64(4*len(test.body)), "far more than is held")
			runtime.KeepAlive(r)
			runtime.KeepAlive(body)
		})
	}
}

// TestMemoryIsRefused expects the error of Memory itself, and nothing made before it.
func TestMemoryIsRefused(t *testing.T) {
	full := fault.New(fault.Overloaded, "no memory")
	for name, test := range expanding() {
		t.Run(name, func(t *testing.T) {
			var charged int64
			s := codec.Signature{Inputs: []tensor.Spec{test.spec}, Memory: func(n int64) error {
				if charged += n; charged > 64<<10 {
					return full
				}
				return nil
			}}
			if name == "arrays of nothing" {
				return // they make nothing
			}
			body := []byte(test.body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := decodeAny(body, test.header, s)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, full)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10))
		})
	}
}

func TestUnknownOutputsAreRefusedAtTheFirst(t *testing.T) {
	s := codec.Signature{Inputs: one, Outputs: []tensor.Spec{{Name: "y", DType: tensor.FP32}}}
	_, err := codec.DecodeOIP([]byte(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}],"outputs":[{"name":"y"},{"name":"z"},{`), s)
	assert.ErrorContains(t, err, `outputs[1].name: unknown output "z", the model has "y"`)
}
