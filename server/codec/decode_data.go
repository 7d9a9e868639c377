package codec

import (
	"slices"

	"slipway/server/tensor"
)

// data reads the elements of a tensor whose other keys are known. They are flat in
// row-major order or nested as the shape is: the protocol allows both.
func (r *tensorReader) data(o *object) (*tensor.Tensor, error) {
	spec, err := r.spec(o)
	if err != nil {
		return nil, err
	}
	count, err := tensor.Count(o.shape)
	if err != nil {
		return nil, problemf("%s", err)
	}
	b, err := r.builder(spec, false)
	if err != nil {
		return nil, err
	}
	// An element takes a digit and a comma at least, so the body bounds what a shape can claim.
	if err := b.reserve(&r.scanner, int(min(count, int64(len(r.buf)-r.pos)/2+1))); err != nil {
		return nil, err
	}
	if err := b.value(&r.scanner, 0); err != nil {
		return nil, err
	}
	t := b.tensor()
	if !fits(t.Shape, o.shape, count) {
		got, _ := tensor.Count(t.Shape)
		if got == count {
			return nil, problemf("got arrays nested as %s, shape is %s", tensor.ShapeString(t.Shape), tensor.ShapeString(o.shape))
		}
		return nil, problemf("got %d elements, shape %s has %d", got, tensor.ShapeString(o.shape), count)
	}
	t.Shape = o.shape
	return t, nil
}

// builder returns the builder for the tensor that a spec describes.
func (r *tensorReader) builder(spec tensor.Spec, rows bool) (builder, error) {
	if spec.Kind != tensor.KindTensor {
		return nil, problemf("the model wants a sequence or a map here, which no JSON body carries")
	}
	if r.lenient {
		return newLenientBuilder(spec.DType, &r.scanner, rows)
	}
	return newBuilder(spec.DType, &r.scanner, rows)
}

// spec returns what the model says of a tensor, whose data type must be the model's.
func (r *tensorReader) spec(o *object) (tensor.Spec, error) {
	i := r.find([]byte(o.name))
	if i < 0 {
		return tensor.Spec{DType: o.dtype}, nil
	}
	spec := r.specs[i]
	if r.role == &outputRole {
		spec = inJSON(spec)
	}
	if spec.Kind == tensor.KindTensor && spec.DType != o.dtype {
		return spec, problemf("got datatype %s, %s %s for %s", o.dtype, r.role.wants, spec.DType, clip(o.name))
	}
	return spec, nil
}

// fits reports whether arrays nested as got can be the data of a shape.
func fits(got, shape []int64, count int64) bool {
	flat := len(got) == 1 && got[0] == count
	// Below an empty array there is nothing that shows the inner dimensions.
	empty := count == 0 && len(got) > 0 && len(got) <= len(shape) && got[len(got)-1] == 0 && slices.Equal(got, shape[:len(got)])
	return flat || empty || slices.Equal(got, shape)
}
