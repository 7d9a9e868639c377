package codec

import (
	"fmt"
	"slices"
	"strings"

	"slipway/server/tensor"
)

// Decode reads a body in any of the three forms. The inputs are the model's.
func Decode(body []byte, inputs []tensor.Spec) (*Request, error) {
	return decode(body, inputs, allKeys)
}

// DecodeV1 reads a body of rows or columns, as TensorFlow Serving and KServe's V1 have them.
func DecodeV1(body []byte, inputs []tensor.Spec) (*Request, error) {
	return decode(body, inputs, v1Keys)
}

// DecodeOIP reads an inference request of the Open Inference Protocol. Without
// any specs, names and data types are left to the caller to check.
func DecodeOIP(body []byte, inputs []tensor.Spec) (*Request, error) {
	return decode(body, inputs, oipKeys)
}

// What a body may have.
var (
	oipKeys = []string{"inputs", "id", "parameters", "outputs", "model_name", "model_version"}
	v1Keys  = []string{"instances", "inputs", "signature_name"}
	allKeys = append(v1Keys[:3:3], oipKeys[1:]...)
)

// decoder reads one body.
type decoder struct {
	scanner
	specs []tensor.Spec
	keys  []string // those that the body may have
	seen  []string // those that it had
	req   Request

	binary []byte // what follows the JSON and has not been taken by an input
	tail   bool   // whether something may follow it
}

func decode(body []byte, specs []tensor.Spec, keys []string) (*Request, error) {
	d := &decoder{scanner: scanner{buf: body}, specs: specs, keys: keys}
	if err := d.document(); err != nil {
		return nil, invalid(err)
	}
	return &d.req, nil
}

func (d *decoder) document() error {
	if d.next() != '{' {
		return in("body", d.want("a JSON object"))
	}
	if err := d.object(d.field); err != nil {
		return err
	}
	if d.next(); d.pos < len(d.buf) {
		return in("body", problemf("something follows the JSON object at byte %d", d.pos))
	}
	has := func(key string) bool { return slices.Contains(d.seen, key) }
	switch {
	case has("instances") && has("inputs"):
		return problemf(`"instances" and "inputs" contradict each other: send one of them`)
	case !has("instances") && !has("inputs"):
		return problemf("body: expected one of the keys %s", d.doors())
	}
	for _, key := range d.seen {
		switch key {
		case "id", "parameters", "outputs", "model_name", "model_version":
			if d.req.Form != OIP {
				return problemf(`%q belongs to the Open Inference Protocol, whose "inputs" is an array of objects with "name", "shape", "datatype" and "data"`, key)
			}
		case "signature_name":
			if d.req.Form == OIP {
				return problemf(`"signature_name" does not belong to the Open Inference Protocol`)
			}
		}
	}
	return nil
}

// doors are the keys that carry the inputs.
func (d *decoder) doors() string {
	if slices.Contains(d.keys, "instances") {
		return `"instances" or "inputs"`
	}
	return `"inputs"`
}

func (d *decoder) field(name []byte) error {
	known := slices.IndexFunc(d.keys, func(key string) bool { return key == string(name) })
	if known < 0 {
		return problemf("unknown key %s, expected one of %s", clip(name), quoted(d.keys))
	}
	key := d.keys[known]
	if slices.Contains(d.seen, key) {
		return problemf("duplicate key %q", key)
	}
	if d.seen == nil {
		d.seen = make([]string, 0, len(d.keys))
	}
	d.seen = append(d.seen, key)
	switch key {
	case "instances":
		return in(key, d.rows())
	case "inputs":
		return in(key, d.inputs())
	case "signature_name":
		return in(key, d.signature())
	case "id":
		var err error
		d.req.ID, err = str(&d.scanner)
		return in(key, err)
	case "model_name":
		var err error
		d.req.Model, err = str(&d.scanner)
		return in(key, err)
	case "model_version":
		var err error
		d.req.ModelVersion, err = str(&d.scanner)
		return in(key, err)
	case "parameters":
		var err error
		d.req.Parameters, err = d.parameters(nil)
		d.req.BinaryOutputs = d.req.Parameters["binary_data_output"] == true
		return in(key, err)
	default:
		return in(key, d.outputs())
	}
}

// inputs tells by the first bytes whether columns or the protocol's objects came.
func (d *decoder) inputs() error {
	protocol := slices.Contains(d.keys, "id")
	if !slices.Contains(d.keys, "instances") || protocol && d.arrayOfObjects() {
		return d.oip()
	}
	return d.columns()
}

// arrayOfObjects looks ahead whether an array stands here whose first element is an object.
func (d *decoder) arrayOfObjects() bool {
	ahead := d.scanner
	if ahead.next() != '[' {
		return false
	}
	ahead.pos++
	return ahead.next() == '{'
}

func (d *decoder) signature() error {
	name, err := d.text()
	if err == nil && len(name) > 0 && string(name) != "serving_default" {
		return problemf(`got %s, expected "serving_default": an ONNX model has one signature`, clip(name))
	}
	return err
}

// names are the inputs of the model, for a message.
func (d *decoder) names() string {
	names := make([]string, len(d.specs))
	for i, s := range d.specs {
		names[i] = s.Name
	}
	return quoted(names)
}

// find is the place of an input in the model, -1 when it has none of that name.
func (d *decoder) find(name []byte) int {
	return slices.IndexFunc(d.specs, func(s tensor.Spec) bool { return s.Name == string(name) })
}

func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	const limit = 8
	q := make([]string, 0, limit+1)
	for _, n := range names[:min(limit, len(names))] {
		q = append(q, clip(n))
	}
	if len(names) > limit {
		q = append(q, fmt.Sprintf("… (%d in all)", len(names)))
	}
	return strings.Join(q, ", ")
}
