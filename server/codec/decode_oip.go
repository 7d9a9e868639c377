package codec

import (
	"slices"

	"slipway/server/codec/number"
	"slipway/server/tensor"
)

// oipInput is one element of the protocol's "inputs" while its keys come in.
type oipInput struct {
	name            string
	shape           []int64
	dtype           tensor.DType
	data            *tensor.Tensor
	dataAt          int // where data that came before shape or data type begins
	parameters      map[string]any
	hasName, hasDim bool
}

func (d *decoder) oip() error {
	d.req.Form = OIP
	if d.next() != '[' {
		return d.want(`an array of objects with "name", "shape", "datatype" and "data"`)
	}
	seen := map[string]bool{}
	return d.array(func(int) error {
		if d.next() != '{' {
			return d.want(`an object with "name", "shape", "datatype" and "data"`)
		}
		input, err := d.oipInput()
		if err != nil {
			return err
		}
		if seen[input.Name] {
			return in(".name", problemf("duplicate input %s", clip(input.Name)))
		}
		seen[input.Name] = true
		d.req.Inputs = append(d.req.Inputs, input)
		return nil
	})
}

func (d *decoder) oipInput() (tensor.Named, error) {
	var p oipInput
	var hasParameters bool
	err := d.object(func(key []byte) error {
		var again bool
		var err error
		switch string(key) {
		case "name":
			again, p.hasName = p.hasName, true
			p.name, err = d.inputName()
		case "shape":
			again, p.hasDim = p.hasDim, true
			p.shape, err = d.shape()
		case "datatype":
			again = p.dtype != tensor.Invalid
			p.dtype, err = d.dtype()
		case "parameters":
			again, hasParameters = hasParameters, true
			p.parameters, err = d.parameters(tensorParameter)
		case "data":
			again = p.data != nil || p.dataAt > 0
			d.next()
			if p.hasName && p.hasDim && p.dtype != tensor.Invalid {
				p.data, err = d.data(&p)
			} else {
				p.dataAt = d.pos
				err = d.skip()
			}
		default:
			return problemf(`unknown key %s, expected "name", "shape", "datatype", "parameters" or "data"`, clip(key))
		}
		if err == nil && again {
			return problemf("duplicate key %q", key)
		}
		if err != nil {
			return in("."+string(key), err)
		}
		return nil
	})
	if err != nil {
		return tensor.Named{}, err
	}
	size, binary := p.parameters["binary_data_size"].(int64)
	hasData := p.data != nil || p.dataAt > 0
	switch {
	case !p.hasName:
		err = problemf(`missing key "name"`)
	case !p.hasDim:
		err = problemf(`missing key "shape"`)
	case p.dtype == tensor.Invalid:
		err = problemf(`missing key "datatype"`)
	case binary && hasData:
		err = problemf(`"data" and parameters.binary_data_size contradict each other: send one of them`)
	case binary:
		p.data, err = d.binaryData(&p, size)
		err = in(".parameters.binary_data_size", err)
	case !hasData:
		err = problemf(`missing key "data"`)
	case p.data == nil:
		after := d.pos
		d.pos = p.dataAt
		p.data, err = d.data(&p)
		err = in(".data", err)
		d.pos = after
	}
	return tensor.Named{Name: p.name, Value: p.data}, err
}

func (d *decoder) inputName() (string, error) {
	name, err := d.text()
	if err == nil && len(d.specs) > 0 && d.find(name) < 0 {
		return "", problemf("unknown input %s, the model has %s", clip(name), d.names())
	}
	return string(name), err
}

func (d *decoder) dtype() (tensor.DType, error) {
	name, err := d.text()
	if err != nil {
		return tensor.Invalid, err
	}
	t, ok := tensor.ParseDType(string(name))
	if !ok {
		return tensor.Invalid, problemf("got %s, expected BOOL, INT8 to INT64, UINT8 to UINT64, FP16, FP32, FP64 or BYTES", clip(name))
	}
	return t, nil
}

func (d *decoder) shape() ([]int64, error) {
	if d.next() != '[' {
		return nil, d.want("an array of dimensions")
	}
	shape := make([]int64, 0, 4)
	err := d.array(func(i int) error {
		d.next()
		n, err := parse(&d.scanner, number.Integer[int64])
		switch {
		case err != nil:
			return err
		case n < 0:
			return problemf("got %d, expected a dimension of 0 or more", n)
		case i == maxDepth:
			return problemf("got more than %d dimensions", maxDepth)
		}
		shape = append(shape, n)
		return nil
	})
	return shape, err
}

// data reads the numbers of an input whose other keys are known. Either flat in
// row-major order or nested as the shape is; the protocol allows both.
func (d *decoder) data(p *oipInput) (*tensor.Tensor, error) {
	spec, err := d.spec(p)
	if err != nil {
		return nil, err
	}
	count, err := tensor.Count(p.shape)
	if err != nil {
		return nil, problemf("%s", err)
	}
	b, err := d.builder(spec, false)
	if err != nil {
		return nil, err
	}
	// An element takes a digit and a comma at least, so the body bounds what a shape can claim.
	b.reserve(int(min(count, int64(len(d.buf)-d.pos)/2+1)))
	if err := b.value(&d.scanner, 0); err != nil {
		return nil, err
	}
	t := b.tensor()
	if !fits(t.Shape, p.shape, count) {
		got, _ := tensor.Count(t.Shape)
		if got == count {
			return nil, problemf("got arrays nested as %s, shape is %s", tensor.ShapeString(t.Shape), tensor.ShapeString(p.shape))
		}
		return nil, problemf("got %d elements, shape %s has %d", got, tensor.ShapeString(p.shape), count)
	}
	t.Shape = p.shape
	return t, nil
}

// spec is what the model says of an input, whose datatype must be the model's.
func (d *decoder) spec(p *oipInput) (tensor.Spec, error) {
	i := d.find([]byte(p.name))
	if i < 0 {
		return tensor.Spec{DType: p.dtype}, nil
	}
	spec := d.specs[i]
	if spec.Kind == tensor.KindTensor && spec.DType != p.dtype {
		return spec, problemf("got datatype %s, the model wants %s for %s", p.dtype, spec.DType, clip(p.name))
	}
	return spec, nil
}

// fits tells whether arrays nested as got can be the data of a shape.
func fits(got, shape []int64, count int64) bool {
	flat := len(got) == 1 && got[0] == count
	// Below an empty array nothing tells the inner dimensions.
	empty := count == 0 && len(got) > 0 && len(got) <= len(shape) && got[len(got)-1] == 0 && slices.Equal(got, shape[:len(got)])
	return flat || empty || slices.Equal(got, shape)
}

// outputs reads which outputs are asked for; none at all means every one.
func (d *decoder) outputs() error {
	if d.next() != '[' {
		return d.want(`an array of objects with "name"`)
	}
	seen := map[string]bool{}
	return d.array(func(int) error {
		if d.next() != '{' {
			return d.want(`an object with "name"`)
		}
		var hasName, hasParameters, again bool
		var name string
		var parameters map[string]any
		err := d.object(func(key []byte) (err error) {
			switch string(key) {
			case "name":
				again, hasName = hasName, true
				name, err = str(&d.scanner)
			case "parameters":
				again, hasParameters = hasParameters, true
				parameters, err = d.parameters(tensorParameter)
			default:
				return problemf(`unknown key %s, expected "name" or "parameters"`, clip(key))
			}
			if err == nil && again {
				return problemf("duplicate key %q", key)
			}
			if err != nil {
				return in("."+string(key), err)
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case !hasName:
			return problemf(`missing key "name"`)
		case seen[name]:
			return in(".name", problemf("duplicate output %s", clip(name)))
		}
		seen[name] = true
		d.req.Outputs = append(d.req.Outputs, name)
		if binary, ok := parameters["binary_data"].(bool); ok {
			if d.req.Binary == nil {
				d.req.Binary = map[string]bool{}
			}
			d.req.Binary[name] = binary
		}
		return nil
	})
}
