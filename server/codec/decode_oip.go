package codec

import (
	"slices"

	"slipway/server/names"
	"slipway/server/tensor"
)

// oip reads "inputs" as the protocol's tensors.
func (d *decoder) oip() (err error) {
	d.req.Form = OIP
	d.req.Inputs, err = d.tensors()
	return err
}

// requestedOutputs reads the names of the requested outputs, none of which means all.
func (d *decoder) requestedOutputs() error {
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
		case len(d.outputs) > 0 && !slices.ContainsFunc(d.outputs, func(s tensor.Spec) bool { return s.Name == name }):
			return in(".name", problemf("unknown output %s, the model has %s", clip(name), names.List(name, tensor.Names(d.outputs))))
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
