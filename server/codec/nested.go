package codec

import (
	"slices"
	"unsafe"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// builder collects nested arrays in one flat tensor.
type builder interface {
	// value reads one value, an element or an array, as the part of the tensor at depth.
	value(s *scanner, depth int) error
	reserve(s *scanner, n int) error
	tensor() *tensor.Tensor
}

// newBuilder returns the builder for a type. With rows the caller counts the first dimension
// and has the builder read the values below it.
func newBuilder(d tensor.DType, s *scanner, rows bool) (builder, error) {
	switch d {
	case tensor.Bool:
		return newFlat(s, parseBool, rows), nil
	case tensor.Int8:
		return newFlat(s, number.Integer[int8], rows), nil
	case tensor.Int16:
		return newFlat(s, number.Integer[int16], rows), nil
	case tensor.Int32:
		return newFlat(s, number.Integer[int32], rows), nil
	case tensor.Int64:
		return newFlat(s, number.Integer[int64], rows), nil
	case tensor.Uint8:
		return newFlat(s, number.Integer[uint8], rows), nil
	case tensor.Uint16:
		return newFlat(s, number.Integer[uint16], rows), nil
	case tensor.Uint32:
		return newFlat(s, number.Integer[uint32], rows), nil
	case tensor.Uint64:
		return newFlat(s, number.Integer[uint64], rows), nil
	case tensor.FP16:
		return newFlat(s, number.Float16, rows), nil
	case tensor.FP32:
		f := newFlat(s, number.Float32, rows)
		f.parseMany = number.Float32s
		return f, nil
	case tensor.FP64:
		return newFlat(s, number.Float64, rows), nil
	case tensor.Bytes:
		// The bytes of all strings are those of the body, rounded up to what Go allocates.
		return newFlat(s, parseBytes, rows), s.memory.charge(2 * int64(len(s.buf)-s.pos))
	case tensor.BF16:
		return nil, problemf("BF16 has no JSON form: the Open Inference Protocol carries it in binary only")
	}
	return nil, problemf("%s is no type of a tensor", d)
}

// flat is the builder of one type.
type flat[T tensor.Element] struct {
	parse parser[T]
	// parseMany reads some of the elements that parse would read, each with a comma behind it,
	// but faster. It may be nil.
	parseMany func(body []byte, from int, into []T) (n, end int)
	data      []T
	dims      []int64 // -1 until the first array of that depth ends
	rankKnown bool    // since the first element or empty array
	from      int     // where the tensor begins in the body
}

func newFlat[T tensor.Element](s *scanner, parse parser[T], rows bool) *flat[T] {
	f := &flat[T]{parse: parse, data: []T{}, dims: make([]int64, 0, 4), from: s.pos}
	if rows {
		f.dims = append(f.dims, 0)
	}
	return f
}

func (f *flat[T]) value(s *scanner, depth int) error {
	if s.next() != '[' {
		return f.scalar(s, depth)
	}
	switch {
	case f.rankKnown && depth == len(f.dims):
		return s.want("a single value, as before it")
	case depth == maxDepth:
		return problemf("arrays are nested deeper than %d", maxDepth)
	case !f.rankKnown:
		f.dims = append(f.dims, -1)
	}
	s.pos++
	innermost := f.rankKnown && depth+1 == len(f.dims)
	var n int
	var err error
	switch c := s.next(); {
	case c == ']':
		s.pos++
		f.rankKnown = true
	case c == '[' && !innermost:
		n, err = f.arrays(s, depth+1)
	case f.rankKnown && !innermost:
		err = at(0, s.want("an array, as before it"))
	default:
		f.rankKnown = true
		n, err = f.elements(s)
	}
	if err != nil {
		return err
	}
	if want := f.dims[depth]; want >= 0 && want != int64(n) {
		return problemf("ragged: got %d elements, expected %d as before it", n, want)
	}
	f.dims[depth] = int64(n)
	return nil
}

// arrays reads the rest of an array of arrays and counts them.
func (f *flat[T]) arrays(s *scanner, depth int) (n int, err error) {
	for {
		if s.next() != '[' {
			return n, at(n, s.want("an array, as before it"))
		}
		if err := f.value(s, depth); err != nil {
			return n, at(n, err)
		}
		n++
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return n, nil
		default:
			return n, s.syntax(`"," or "]"`)
		}
	}
}

// longArray is the count of elements from which on a call of parseMany pays off.
const longArray = 16

// elements reads the rest of an array of single values and counts them.
func (f *flat[T]) elements(s *scanner) (n int, err error) {
	data := f.data
	for {
		s.next()
		v, end, err := f.parse(s.buf, s.pos)
		if err != nil {
			return n, at(n, s.notParsed(tensor.DTypeOf[T](), end, err))
		}
		s.pos = end
		if len(data) == cap(data) {
			if data, err = f.grown(s, data); err != nil {
				return n, err
			}
		}
		data = append(data, v)
		n++
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			f.data = data
			return n, nil
		default:
			return n, s.syntax(`"," or "]"`)
		}
		if n >= longArray && f.parseMany != nil {
			if len(data) == cap(data) {
				if data, err = f.grown(s, data); err != nil {
					return n, err
				}
			}
			var read int
			read, s.pos = f.parseMany(s.buf, s.pos, data[len(data):cap(data)])
			data, n = data[:len(data)+read], n+read
		}
	}
}

// grown adds capacity for the elements that the rest of the body seems to have, estimated from
// those read so far.
func (f *flat[T]) grown(s *scanner, data []T) ([]T, error) {
	n := len(data)
	more := n + 8
	if n >= 256 {
		rest, read := len(s.buf)-s.pos, s.pos-f.from
		more = int(float64(n)*1.05*float64(rest)/float64(read)) + 8
	}
	if err := s.memory.charge(int64(more) * elementBytes[T]()); err != nil {
		return nil, err
	}
	return slices.Grow(data, more), nil
}

func (f *flat[T]) scalar(s *scanner, depth int) error {
	if f.rankKnown && depth != len(f.dims) {
		return s.want("an array, as before it")
	}
	v, err := parse(s, f.parse)
	if err != nil {
		return err
	}
	f.rankKnown = true
	if len(f.data) == cap(f.data) {
		if f.data, err = f.grown(s, f.data); err != nil {
			return err
		}
	}
	f.data = append(f.data, v)
	return nil
}

// reserve adds capacity for n elements to a builder that has none.
func (f *flat[T]) reserve(s *scanner, n int) error {
	if err := s.memory.charge(int64(n) * elementBytes[T]()); err != nil {
		return err
	}
	f.data = slices.Grow(f.data, n)
	return nil
}

// elementBytes is what Go takes for an element.
func elementBytes[T tensor.Element]() int64 {
	var element T
	return int64(unsafe.Sizeof(element))
}

func (f *flat[T]) tensor() *tensor.Tensor {
	return &tensor.Tensor{DType: tensor.DTypeOf[T](), Shape: f.dims, Data: f.data}
}
