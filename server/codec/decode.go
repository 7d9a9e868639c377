package codec

import (
	"slices"

	"slipway/server/names"
	"slipway/server/tensor"
)

// Decode reads a request body in any of the three forms.
func Decode(body []byte, s Signature) (*Request, error) {
	return decode(body, s, allKeys)
}

// DecodeV1 reads a body of rows or columns, the forms of TensorFlow Serving and KServe's V1.
func DecodeV1(body []byte, s Signature) (*Request, error) {
	return decode(body, s, v1Keys)
}

// DecodeOIP reads an inference request of the Open Inference Protocol.
func DecodeOIP(body []byte, s Signature) (*Request, error) {
	return decode(body, s, oipKeys)
}

// DecodeRequest reads an inference request of the Open Inference Protocol for a client, which
// may send its tensors in another form than JSON. So it also reads BF16, and floats that are
// not finite as the strings "NaN", "Infinity" and "-Infinity". Parameters of inputs are refused: a
// Request has none of them.
func DecodeRequest(body []byte) (*Request, error) {
	d := newDecoder(body, Signature{}, oipKeys)
	d.lenient, d.noParameters = true, true
	return d.request()
}

// The keys of the forms.
var (
	oipKeys = []string{"inputs", "id", "parameters", "outputs", "model_name", "model_version"}
	v1Keys  = []string{"instances", "inputs", "signature_name"}
	allKeys = append(v1Keys[:3:3], oipKeys[1:]...)
)

// decoder reads the body of a request.
type decoder struct {
	tensorReader
	outputs []tensor.Spec
	keys    keys
	req     Request
}

func newDecoder(body []byte, s Signature, known []string) *decoder {
	return &decoder{
		tensorReader: tensorReader{scanner: scanner{buf: body, memory: s.Memory}, role: &inputRole, specs: s.Inputs},
		outputs:      s.Outputs, keys: keys{known: known},
	}
}

func decode(body []byte, s Signature, known []string) (*Request, error) {
	return newDecoder(body, s, known).request()
}

func (d *decoder) request() (*Request, error) {
	if err := d.document(d.field); err != nil {
		return nil, invalid(err)
	}
	if err := d.checkForm(); err != nil {
		return nil, invalid(err)
	}
	return &d.req, nil
}

// checkForm refuses keys of different forms beside each other.
func (d *decoder) checkForm() error {
	switch {
	case d.keys.has("instances") && d.keys.has("inputs"):
		return problemf(`"instances" and "inputs" contradict each other: send one of them`)
	case !d.keys.has("instances") && !d.keys.has("inputs"):
		return problemf("body: expected one of the keys %s", d.inputKeys())
	}
	for _, key := range d.keys.given() {
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

// inputKeys names the keys that hold the inputs.
func (d *decoder) inputKeys() string {
	if slices.Contains(d.keys.known, "instances") {
		return `"instances" or "inputs"`
	}
	return `"inputs"`
}

func (d *decoder) field(name []byte) error {
	key, known := d.keys.find(name)
	if !known {
		return problemf("unknown key %s, expected one of %s", clip(name), names.List(string(name), d.keys.known))
	}
	if given, err := d.keys.add(key, &d.scanner); err != nil || !given {
		return err
	}
	var err error
	switch key {
	case "instances":
		err = d.rows()
	case "inputs":
		err = d.inputs()
	case "signature_name":
		err = d.signature()
	case "id":
		d.req.ID, err = str(&d.scanner)
	case "model_name":
		d.req.Model, err = str(&d.scanner)
	case "model_version":
		d.req.ModelVersion, err = str(&d.scanner)
	case "parameters":
		d.req.Parameters, err = d.parameters(nil)
		d.req.BinaryOutputs = d.req.Parameters["binary_data_output"] == true
	default:
		err = d.requestedOutputs()
	}
	return in(key, err)
}

// inputs reads columns or the protocol's tensors, which differ in their first bytes.
func (d *decoder) inputs() error {
	protocol := slices.Contains(d.keys.known, "id")
	if !slices.Contains(d.keys.known, "instances") || protocol && d.arrayOfObjects() && !d.base64InArray() {
		return d.oip()
	}
	return d.columns()
}

// arrayOfObjects looks ahead whether an array whose first element is an object comes next.
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

// document reads a JSON object that is the whole body.
func (s *scanner) document(field func(key []byte) error) error {
	if s.next() != '{' {
		return in("body", s.want("a JSON object"))
	}
	if err := s.object(field); err != nil {
		return err
	}
	if s.next(); s.pos < len(s.buf) {
		return in("body", problemf("something follows the JSON object at byte %d", s.pos))
	}
	return nil
}

// keys are those that an object may have, each of them once. A key whose value is null is as good as
// left out: many languages write an optional member that is not set so.
type keys struct{ known, seen, null []string }

func (k *keys) find(name []byte) (key string, known bool) {
	i := slices.IndexFunc(k.known, func(key string) bool { return key == string(name) })
	if i < 0 {
		return "", false
	}
	return k.known[i], true
}

// add notes a key and reports whether it is given: it reads the value of one that is null.
func (k *keys) add(key string, s *scanner) (given bool, err error) {
	if slices.Contains(k.seen, key) {
		return false, problemf("duplicate key %q", key)
	}
	if k.seen == nil {
		k.seen = make([]string, 0, len(k.known))
	}
	k.seen = append(k.seen, key)
	if s.null() {
		k.null = append(k.null, key)
		return false, nil
	}
	return true, nil
}

func (k *keys) has(key string) bool {
	return slices.Contains(k.seen, key) && !slices.Contains(k.null, key)
}

// given returns the keys that have a value.
func (k *keys) given() []string {
	if k.null == nil {
		return k.seen
	}
	return slices.DeleteFunc(slices.Clone(k.seen), func(key string) bool { return !k.has(key) })
}
