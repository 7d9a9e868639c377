package tensor

// DType is an element type under its name in the Open Inference Protocol.
type DType uint8

// The element types of the Open Inference Protocol, and BF16.
const (
	Invalid DType = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	FP16
	BF16
	FP32
	FP64
	Bytes
)

// dtypes is the one table of the element types. It holds every difference between
// them that needs no other package.
var dtypes = [...]struct {
	name string
	size int // bytes of an element; 0 when they differ
	elements
}{
	Invalid: {"INVALID", 0, nil},
	Bool:    {"BOOL", 1, booleans},
	Int8:    {"INT8", 1, signed[int8]()},
	Int16:   {"INT16", 2, signed[int16]()},
	Int32:   {"INT32", 4, signed[int32]()},
	Int64:   {"INT64", 8, signed[int64]()},
	Uint8:   {"UINT8", 1, unsigned[uint8]()},
	Uint16:  {"UINT16", 2, unsigned[uint16]()},
	Uint32:  {"UINT32", 4, unsigned[uint32]()},
	Uint64:  {"UINT64", 8, unsigned[uint64]()},
	FP16:    {"FP16", 2, float16s},
	BF16:    {"BF16", 2, bfloat16s},
	FP32:    {"FP32", 4, float32s},
	FP64:    {"FP64", 8, float64s},
	Bytes:   {"BYTES", 0, texts},
}

// String returns the protocol's name, such as FP32.
func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return dtypes[Invalid].name
}

// Size returns the number of bytes of an element; 0 for Bytes, whose elements differ.
func (d DType) Size() int {
	if int(d) < len(dtypes) {
		return dtypes[d].size
	}
	return 0
}

// IsFloat reports whether elements may have a fraction.
func (d DType) IsFloat() bool { return d >= FP16 && d <= FP64 }

// IsInteger reports whether elements are whole numbers.
func (d DType) IsInteger() bool { return d >= Int8 && d <= Uint64 }

// ParseDType is the inverse of String; ok is false for an unknown name.
func ParseDType(name string) (d DType, ok bool) {
	for d := Bool; d <= Bytes; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return Invalid, false
}

// DTypeOf returns the type whose data is a []T.
func DTypeOf[T Element]() DType {
	for d := Bool; d <= Bytes; d++ {
		if _, ok := dtypes[d].elements.(*slice[T]); ok {
			return d
		}
	}
	return Invalid
}

// Make returns zeroed data of n elements as the []T that belongs to d, or nil for Invalid.
func Make(d DType, n int) any {
	if d == Invalid || int(d) >= len(dtypes) {
		return nil
	}
	return dtypes[d].make(n)
}
