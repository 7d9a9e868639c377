package modelconfig

import (
	"errors"
	"strings"

	"slipway/server/tensor"
)

// declared keeps an input or output, to be compared with the model's own.
func (t *triton) declared(input bool) reader {
	return func(f *field) error {
		d := Declared{Input: input}
		err := within(f, map[string]reader{
			"name":      text(&d.Name),
			"data_type": dataType(&d.DType),
			"dims":      numbers(&d.Dims),
			// Nor does Triton do anything with it for an ONNX model.
			"format": onlyWord("it is how the model takes it", "FORMAT_NONE", "FORMAT_NCHW", "FORMAT_NHWC"),
		})
		t.settings.Declared = append(t.settings.Declared, d)
		if err != nil {
			return err
		}
		switch {
		case d.Name == "":
			return f.problem("has no name")
		case d.DType == tensor.Invalid:
			return f.problem("%q has no data_type", d.Name)
		}
		for _, size := range d.Dims {
			if size < -1 || size == 0 {
				return f.problem("%q: dims must be positive, or -1 for any size, is %d", d.Name, size)
			}
		}
		return nil
	}
}

func (t *triton) warmUp(f *field) error {
	w := WarmUp{Inputs: map[string]WarmUpInput{}}
	err := within(f, map[string]reader{
		"name":       text(&w.Name),
		"batch_size": number(&w.BatchSize),
		"count":      number(&w.Count),
		"inputs": func(f *field) error {
			name, in, err := warmUpInput(f)
			if _, twice := w.Inputs[name]; twice && err == nil {
				return f.problem("%q is given twice", name)
			}
			w.Inputs[name] = in
			return err
		},
	})
	t.settings.WarmUp = append(t.settings.WarmUp, w)
	return err
}

func warmUpInput(f *field) (name string, in WarmUpInput, err error) {
	valued := false
	err = within(f, map[string]reader{
		"key": text(&name),
		"value": func(f *field) error {
			valued = true
			zero := false
			err := within(f, map[string]reader{
				"data_type":   dataType(&in.DType),
				"dims":        numbers(&in.Dims),
				"zero_data":   onlyTrue(&zero),
				"random_data": onlyTrue(&in.Random),
			})
			return errors.Join(err, f.oneOf("zero_data", "random_data", "input_data_file"))
		},
	})
	switch {
	case err != nil:
	case name == "" || !valued:
		err = f.problem("needs a key, which is the input's name, and a value")
	}
	return name, in, err
}

// dataType reads TYPE_FP32 and the like.
func dataType(into *tensor.DType) reader {
	return func(f *field) error {
		name, prefixed := strings.CutPrefix(f.text, "TYPE_")
		d, known := tensor.ParseDType(name)
		if name == "STRING" {
			d, known = tensor.Bytes, true
		} else if d == tensor.Bytes {
			known = false // that is the protocol's name for it
		}
		if !known || !prefixed || f.kind != wordKind {
			return f.problem("%q is no data type; write TYPE_FP32, TYPE_INT64, TYPE_STRING and the like", f.text)
		}
		*into = d
		return nil
	}
}
