package codec

import (
	"slices"

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
	only, last := d.only(), make([]int, len(inputs)) // the last row, counted from 1, that had an input
	row := d.namedRow(inputs, last)
	if only >= 0 && (!d.arrayOfObjects() || d.base64InArray()) {
		row = func(int) error { return inputs[only].value(&d.scanner, 1) }
		last[only] = 1
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
		if last[i] <= 0 {
			continue
		}
		t := inputs[i].tensor()
		t.Shape[0] = int64(n)
		d.req.Inputs = append(d.req.Inputs, tensor.Named{Name: spec.Name, Value: t})
	}
	return nil
}

// only returns the index of the one input that has no default, whose values need no names; -1 if
// there is not one.
func (d *decoder) only() int {
	only := -1
	for i, spec := range d.specs {
		switch {
		case spec.Optional:
		case only >= 0:
			return -1
		default:
			only = i
		}
	}
	return only
}

// namedRow reads a row that is an object of the inputs' values.
func (d *decoder) namedRow(inputs []builder, last []int) func(int) error {
	return func(row int) error {
		if d.next() != '{' {
			return d.want("an object with a value for each of " + d.names(""))
		}
		return d.named(func(i int) error { return inputs[i].value(&d.scanner, 1) }, last, row+1)
	}
}

// named reads an object that has every input of the model once. last holds the last turn in which
// each input was read, and is negative while it was null. One that has a default is left out, or
// null, in every turn, or in none.
func (d *decoder) named(value func(i int) error, last []int, turn int) error {
	err := d.object(func(key []byte) error {
		i := d.find(key)
		switch {
		case i < 0:
			return problemf("unknown input %s, the model has %s", clip(key), d.names(string(key)))
		case last[i] == turn || last[i] == -turn:
			return problemf("duplicate input %s", clip(key))
		case d.specs[i].Optional && last[i] <= 0 && d.null():
			last[i] = -turn
			return nil
		case d.specs[i].Optional && last[i] < turn-1:
			return problemf("input %s is not in the rows before: give it in each of them or in none", clip(key))
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
		if t != turn && (t > 0 || !d.specs[i].Optional) {
			return problemf("missing input %s, the model has %s", clip(d.specs[i].Name), d.names(d.specs[i].Name))
		}
	}
	return nil
}

// columns reads "inputs" as an object of whole tensors, or as the tensor of the only input.
func (d *decoder) columns() error {
	d.req.Form = Columns
	only := d.only()
	if d.next() != '{' && only < 0 {
		return d.want("an object with a value for each of " + d.names(""))
	}
	if d.arrayOfObjects() && !d.base64InArray() {
		return problemf(`got an array of objects, expected an object of nested arrays: the Open Inference Protocol is served under /v2`)
	}
	if d.next() != '{' || d.base64Next(d.scanner) {
		t, err := d.column(d.specs[only])
		if err == nil {
			d.req.Inputs = []tensor.Named{{Name: d.specs[only].Name, Value: t}}
		}
		return err
	}
	all := make([]tensor.Named, len(d.specs))
	err := d.named(func(i int) error {
		t, err := d.column(d.specs[i])
		all[i] = tensor.Named{Name: d.specs[i].Name, Value: t}
		return err
	}, make([]int, len(d.specs)), 1)
	d.req.Inputs = slices.DeleteFunc(all, func(in tensor.Named) bool { return in.Value == nil })
	return err
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
