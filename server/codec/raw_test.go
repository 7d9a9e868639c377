package codec_test

import (
	"encoding/binary"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/tensor"
)

// shifted is a copy of raw that begins so many bytes after what every type is aligned to.
func shifted(raw []byte, by int) []byte {
	words := make([]uint64, len(raw)/8+2)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
	return bytes[by : by+copy(bytes[by:], raw) : by+len(raw)]
}

// length is how BYTES begin.
func length(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

func TestRaw(t *testing.T) {
	for name, test := range map[string]struct {
		raw  string
		want tensor.Named
	}{
		"BOOL":           {"\x01\x00", want(t, "", dims(2), true, false)},
		"INT8":           {"\x7f\x80", want[int8](t, "", dims(2), 127, -128)},
		"INT16":          {"\x34\x12\xff\xff", want[int16](t, "", dims(2), 0x1234, -1)},
		"INT32":          {"\x78\x56\x34\x12\xfe\xff\xff\xff", want[int32](t, "", dims(2), 0x12345678, -2)},
		"INT64":          {"\xf0\xde\xbc\x9a\x78\x56\x34\x12", want[int64](t, "", dims(1), 0x123456789abcdef0)},
		"UINT8":          {"\x00\xff", want[uint8](t, "", dims(2, 1), 0, 255)},
		"UINT16":         {"\x34\x12\xff\xff", want[uint16](t, "", dims(2), 0x1234, 0xffff)},
		"UINT32":         {"\x78\x56\x34\xf2", want[uint32](t, "", dims(1), 0xf2345678)},
		"UINT64":         {"\xf0\xde\xbc\x9a\x78\x56\x34\xf2", want[uint64](t, "", dims(1), 0xf23456789abcdef0)},
		"FP16":           {"\x00\x3c\x00\xfc", want[tensor.Float16](t, "", dims(1, 2), 0x3c00, 0xfc00)},
		"BF16":           {"\x80\x3f\x80\xbf", want[tensor.BFloat16](t, "", dims(1, 2), 0x3f80, 0xbf80)},
		"FP32":           {"\x00\x00\x80\x3f\x00\x00\x80\xff", want(t, "", dims(2), 1, float32(math.Inf(-1)))},
		"FP64":           {"\x00\x00\x00\x00\x00\x00\xf0\x3f", want[float64](t, "", dims(1), 1)},
		"BYTES":          {length(3) + "a\x00\xff" + length(0), want(t, "", dims(2), "a\x00\xff", "")},
		"a scalar":       {"\x00\x00\x80\x3f", want[float32](t, "", dims(), 1)},
		"a text alone":   {length(1) + "x", want(t, "", dims(), "x")},
		"nothing":        {"", want[float64](t, "", dims(0, 3))},
		"no texts":       {"", want[string](t, "", dims(2, 0))},
		"a huge nothing": {"", want[int16](t, "", dims(math.MaxInt64, 0, math.MaxInt64))},
	} {
		t.Run(name, func(t *testing.T) {
			whole := test.want.Value.(*tensor.Tensor)
			for by := range 8 {
				got, err := codec.FromRaw(whole.DType, whole.Shape, shifted([]byte(test.raw), by), nil)
				require.NoError(t, err)
				assert.Equal(t, whole, got)
				assert.Equal(t, "before"+test.raw, string(codec.AppendRaw([]byte("before"), got)))
				assert.Equal(t, len(test.raw), codec.RawSize(got))
			}
		})
	}
}

func TestRawIsAViewWhereItCanBe(t *testing.T) {
	for by := range 8 {
		raw := shifted(make([]byte, 8), by)
		wide, err := codec.FromRaw(tensor.FP32, dims(2), raw, nil)
		require.NoError(t, err)
		narrow, err := codec.FromRaw(tensor.Bool, dims(8), raw, nil)
		require.NoError(t, err)
		raw[0] = 1
		assert.True(t, narrow.Data.([]bool)[0])
		assert.Equal(t, by%4 == 0, wide.Data.([]float32)[0] != 0, "%d bytes after alignment", by)
		assert.Equal(t, 2, cap(wide.Data.([]float32)), "appending must not write behind the data")
	}
}

func TestRawRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		dtype tensor.DType
		shape []int64
		raw   string
		says  string
	}{
		"too short":                    {tensor.FP32, dims(2), "\x00\x00\x80\x3f", "got 4 bytes, FP32 of shape [2] has 2 elements of 4"},
		"too long":                     {tensor.Int8, dims(1), "ab", "got 2 bytes, INT8 of shape [1] has 1 elements of 1"},
		"half an element":              {tensor.FP64, dims(1), "1234567890", "got 10 bytes"},
		"something for none":           {tensor.FP64, dims(0), "12345678", "got 8 bytes, FP64 of shape [0] has 0"},
		"nothing for one":              {tensor.FP16, dims(), "", "got 0 bytes, FP16 of shape [] has 1"},
		"a count whose bytes overflow": {tensor.FP64, dims(1 << 61), "", "got 0 bytes"},
		"a count that overflows":       {tensor.Int8, dims(1<<32, 1<<32), "", "overflows"},
		"a negative dimension":         {tensor.Int8, dims(-1), "a", "dimension 0 is negative"},
		"negative twice":               {tensor.Int8, dims(-1, -1), "a", "dimension 0 is negative"},
		"no type":                      {tensor.Invalid, dims(1), "a", "no datatype that has a binary form"},
		"an unknown type":              {tensor.Bytes + 1, dims(1), "a", "no datatype that has a binary form"},
		"a BOOL of 2":                  {tensor.Bool, dims(3), "\x01\x00\x02", "element 2 is the byte 2, a BOOL is 0 or 1"},
		"a length that is cut":         {tensor.Bytes, dims(2), length(3) + "abc" + "\x00", "element 1: the data ends before its length"},
		"a length that lies":           {tensor.Bytes, dims(1), length(4) + "abc", "element 0: has a length of 4, 3 bytes are left"},
		"a length that lies much":      {tensor.Bytes, dims(1), length(math.MaxUint32) + "abc", "has a length of 4294967295, 3 bytes are left"},
		"more than the texts":          {tensor.Bytes, dims(1), length(1) + "abc", "2 bytes are left over after 1 elements"},
		"something for no texts":       {tensor.Bytes, dims(0), length(0), "4 bytes are left over after 0 elements"},
		"more texts than bytes":        {tensor.Bytes, dims(1 << 40), length(0), "got 4 bytes, 1099511627776 BYTES elements take 4 each at least"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := codec.FromRaw(test.dtype, test.shape, []byte(test.raw), nil)
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
		})
	}
}

func TestDocuments(t *testing.T) {
	keys, values := want(t, "", dims(2), "a", "b"), want[float32](t, "", dims(2), 1, 0.5)
	one := tensor.Map{Keys: keys.Value.(*tensor.Tensor), Values: values.Value.(*tensor.Tensor)}
	assert.Equal(t, want(t, "", dims(1), `{"a":1,"b":0.5}`).Value, codec.Documents(one))
	assert.Equal(t, want(t, "", dims(2), `{"a":1,"b":0.5}`, `[1,0.5]`).Value, codec.Documents(tensor.Sequence{one, one.Values}))
	assert.Equal(t, want[string](t, "", dims(0)).Value, codec.Documents(tensor.Sequence{}))
}

// FuzzRaw holds for bytes under any type and shape: what is accepted is the same bytes again, wherever it is in memory.
func FuzzRaw(f *testing.F) {
	f.Add(uint8(tensor.FP32), int64(2), int64(1), uint8(1), []byte("12345678"))
	f.Add(uint8(tensor.Bytes), int64(2), int64(1), uint8(0), []byte(length(1)+"a"+length(0)))
	f.Add(uint8(tensor.Bool), int64(1), int64(1), uint8(3), []byte("\x02"))
	f.Add(uint8(tensor.Int64), int64(math.MaxInt64), int64(0), uint8(0), []byte{})
	f.Fuzz(func(t *testing.T, dtype uint8, rows, columns int64, by uint8, raw []byte) {
		shape := dims(rows, columns)
		got, err := codec.FromRaw(tensor.DType(dtype), shape, shifted(raw, int(by%8)), nil)
		if err != nil {
			require.Equal(t, fault.InvalidArgument, fault.CodeOf(err))
			return
		}
		count, err := tensor.Count(shape)
		require.NoError(t, err)
		require.Equal(t, int(count), elementsOf(got))
		require.Equal(t, string(raw), string(codec.AppendRaw(nil, got)))
		require.Equal(t, len(raw), codec.RawSize(got))
	})
}
