package codec

import (
	"slices"

	"slipway/server/codec/number"
	"slipway/server/names"
	"slipway/server/tensor"
)

// tensorReader reads the tensors of the protocol: "inputs" of a request, "outputs" of a response.
type tensorReader struct {
	scanner
	role  *role
	specs []tensor.Spec // the model's inputs or outputs; with none of them every name and type is read

	lenient      bool // whether floats may have the forms of newLenientBuilder
	skipUnknown  bool // whether unknown keys are skipped
	noParameters bool // whether tensors must not have parameters

	tail   bool   // whether data of tensors may follow the JSON
	binary []byte // what follows the JSON and belongs to no tensor yet
}

// role has the words for errors in which the two kinds of tensor differ.
type role struct{ noun, others, wants string }

var (
	inputRole  = role{noun: "input", others: "the model has", wants: "the model wants"}
	outputRole = role{noun: "output", others: "expected", wants: "the model returns"}
)

// object is a tensor while its keys are read.
type object struct {
	name              string
	shape             []int64
	dtype             tensor.DType
	data              *tensor.Tensor
	dataAt            int // where data begins that came before shape or data type
	parameters        map[string]any
	hasName, hasShape bool
	hasParameters     bool
	hasData           bool // whether there is the key: its value may be null
}

func (r *tensorReader) tensors() (all []tensor.Named, err error) {
	if r.next() != '[' {
		return nil, r.want(`an array of objects with "name", "shape", "datatype" and "data"`)
	}
	seen := map[string]bool{}
	err = r.array(func(int) error {
		if r.next() != '{' {
			return r.want(`an object with "name", "shape", "datatype" and "data"`)
		}
		t, err := r.tensor()
		if err != nil {
			return err
		}
		if seen[t.Name] {
			return in(".name", problemf("duplicate %s %s", r.role.noun, clip(t.Name)))
		}
		seen[t.Name] = true
		all = append(all, t)
		return nil
	})
	return all, err
}

func (r *tensorReader) tensor() (tensor.Named, error) {
	var o object
	if err := r.object(func(key []byte) error { return r.tensorField(&o, key) }); err != nil {
		return tensor.Named{}, err
	}
	if err := r.finish(&o); err != nil {
		return tensor.Named{}, err
	}
	if r.role == &outputRole && r.isDocuments(&o) {
		documents, err := FromDocuments(o.data)
		return tensor.Named{Name: o.name, Value: documents}, in(".data", err)
	}
	return tensor.Named{Name: o.name, Value: o.data}, nil
}

func (r *tensorReader) tensorField(o *object, key []byte) error {
	var again bool
	var err error
	switch string(key) {
	case "name":
		again, o.hasName = o.hasName, true
		o.name, err = r.name()
	case "shape":
		again, o.hasShape = o.hasShape, true
		o.shape, err = r.shape()
	case "datatype":
		again = o.dtype != tensor.Invalid
		o.dtype, err = r.dtype()
	case "parameters":
		again, o.hasParameters = o.hasParameters, true
		o.parameters, err = r.tensorParameters()
	case "data":
		again, o.hasData = o.hasData, true
		if r.null() {
			break
		}
		if o.hasName && o.hasShape && o.dtype != tensor.Invalid {
			o.data, err = r.data(o)
		} else {
			o.dataAt = r.pos
			err = r.skip()
		}
	default:
		if r.skipUnknown {
			return in("."+printable(key), r.skipValue())
		}
		return problemf(`unknown key %s, expected "name", "shape", "datatype", "parameters" or "data"`, clip(key))
	}
	if err == nil && again {
		return problemf("duplicate key %q", key)
	}
	if err != nil {
		return in("."+string(key), err)
	}
	return nil
}

// finish reads the data that was not read beside its key, once all keys are known.
func (r *tensorReader) finish(o *object) (err error) {
	size, binary := o.parameters["binary_data_size"].(int64)
	hasData := o.data != nil || o.dataAt > 0
	switch {
	case !o.hasName:
		return problemf(`missing key "name"`)
	case !o.hasShape:
		return problemf(`missing key "shape"`)
	case o.dtype == tensor.Invalid:
		return problemf(`missing key "datatype"`)
	case binary && hasData:
		return problemf(`"data" and parameters.binary_data_size contradict each other: send one of them`)
	case r.noParameters && len(o.parameters) > 0:
		return in(".parameters", problemf(`an input is sent without parameters: put its elements into "data" and leave them out`))
	case binary:
		o.data, err = r.binaryData(o, size)
		return in(".parameters.binary_data_size", err)
	case !hasData:
		return problemf(`missing key "data"`)
	case o.data == nil:
		after := r.pos
		r.pos = o.dataAt
		o.data, err = r.data(o)
		r.pos = after
		return in(".data", err)
	}
	return nil
}

func (r *tensorReader) name() (string, error) {
	name, err := r.text()
	if err == nil && len(r.specs) > 0 && r.find(name) < 0 {
		return "", problemf("unknown %s %s, %s %s", r.role.noun, clip(name), r.role.others, r.names(string(name)))
	}
	return string(name), err
}

// names lists the names of the specs for an error about another name, or about none.
func (r *tensorReader) names(other string) string {
	return names.List(other, tensor.Names(r.specs))
}

// find returns the index of the spec of that name, -1 if there is none.
func (r *tensorReader) find(name []byte) int {
	return slices.IndexFunc(r.specs, func(s tensor.Spec) bool { return s.Name == string(name) })
}

func (r *tensorReader) dtype() (tensor.DType, error) {
	name, err := r.text()
	if err != nil {
		return tensor.Invalid, err
	}
	t, ok := tensor.ParseDType(string(name))
	if !ok {
		return tensor.Invalid, problemf("got %s, expected BOOL, INT8 to INT64, UINT8 to UINT64, FP16, FP32, FP64 or BYTES", clip(name))
	}
	return t, nil
}

func (r *tensorReader) shape() ([]int64, error) {
	if r.next() != '[' {
		return nil, r.want("an array of dimensions")
	}
	shape := make([]int64, 0, 4)
	err := r.array(func(i int) error {
		r.next()
		n, err := parse(&r.scanner, number.Integer[int64])
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
