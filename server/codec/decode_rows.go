package codec

import (
	"slipway/server/tensor"
)

// builders returns one builder for each input of the model.
func (d *decoder) builders(rows bool) ([]builder, error) {
	all := make([]builder, len(d.specs))
	for i, spec := range d.specs {
		var err error
		if all[i], err = d.builder(spec, rows); err != nil {
			return nil, in("."+spec.Name, err)
		}
	}
	return all, nil
}

// rows reads "instances": an array of rows, each with a value of every input.
func (d *decoder) rows() error {
	d.req.Form = Rows
	if d.next() != '[' {
		return d.want("an array of rows")
	}
	if len(d.specs) == 0 {
		return problemf(`the model has no inputs, so there are no rows to give it: send {"inputs": {}}`)
	}
	inputs, err := d.builders(true)
	if err != nil {
		return err
	}
	named := len(d.specs) != 1 || d.arrayOfObjects() && !d.base64InArray()
	row := d.bareRow(inputs)
	if named {
		row = d.namedRow(inputs)
	}
	n := 0
	if err := d.array(func(i int) error {
		n++
		return row(i)
	}); err != nil {
		return err
	}
	if n == 0 {
		return problemf("got no rows, expected at least one")
	}
	d.req.Rows = n
	for i, spec := range d.specs {
		t := inputs[i].tensor()
		t.Shape[0] = int64(n)
		d.req.Inputs = append(d.req.Inputs, tensor.Named{Name: spec.Name, Value: t})
	}
	return nil
}

// bareRow reads a row of a model with one input: its value.
func (d *decoder) bareRow(inputs []builder) func(int) error {
	return func(int) error { return inputs[0].value(&d.scanner, 1) }
}

// namedRow reads a row that is an object of the inputs' values.
func (d *decoder) namedRow(inputs []builder) func(int) error {
	last := make([]int, len(inputs)) // the last row, counted from 1, that had this input
	return func(row int) error {
		if d.next() != '{' {
			return d.want("an object with a value for each of " + d.names(""))
		}
		return d.named(func(i int) error { return inputs[i].value(&d.scanner, 1) }, last, row+1)
	}
}

// named reads an object that has every input of the model once. last holds the last turn in which
// each input was read.
func (d *decoder) named(value func(i int) error, last []int, turn int) error {
	err := d.object(func(key []byte) error {
		i := d.find(key)
		switch {
		case i < 0:
			return problemf("unknown input %s, the model has %s", clip(key), d.names(string(key)))
		case last[i] == turn:
			return problemf("duplicate input %s", clip(key))
		}
		last[i] = turn
		if err := value(i); err != nil {
			return in("."+d.specs[i].Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, t := range last {
		if t != turn {
			return problemf("missing input %s, the model has %s", clip(d.specs[i].Name), d.names(d.specs[i].Name))
		}
	}
	return nil
}

// columns reads "inputs" as an object of whole tensors, or as the tensor of the only input.
func (d *decoder) columns() error {
	d.req.Form = Columns
	if d.next() != '{' && len(d.specs) != 1 {
		return d.want("an object with a value for each of " + d.names(""))
	}
	if d.arrayOfObjects() && !d.base64InArray() {
		return problemf(`got an array of objects, expected an object of nested arrays: the Open Inference Protocol is served under /v2`)
	}
	if d.next() != '{' || d.base64Next(d.scanner) {
		t, err := d.column(d.specs[0])
		if err == nil {
			d.req.Inputs = []tensor.Named{{Name: d.specs[0].Name, Value: t}}
		}
		return err
	}
	d.req.Inputs = make([]tensor.Named, len(d.specs))
	return d.named(func(i int) error {
		t, err := d.column(d.specs[i])
		d.req.Inputs[i] = tensor.Named{Name: d.specs[i].Name, Value: t}
		return err
	}, make([]int, len(d.specs)), 1)
}

func (d *decoder) column(spec tensor.Spec) (*tensor.Tensor, error) {
	b, err := d.builder(spec, false)
	if err != nil {
		return nil, err
	}
	if err := b.value(&d.scanner, 0); err != nil {
		return nil, err
	}
	return b.tensor(), nil
}
