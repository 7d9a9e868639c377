package codec

import (
	"encoding/json"

	"slipway/server/fault"
	"slipway/server/names"
	"slipway/server/tensor"
)

// DecodeResponse reads an inference response of the Open Inference Protocol in JSON, as strictly as
// DecodeOIP reads a request. With specs its outputs must be among them. JSON documents, which
// sequences and maps travel as, become a tensor.Sequence.
func DecodeResponse(body []byte, outputs []tensor.Spec) (*Response, error) {
	d := newResponseDecoder(body, outputs)
	return d.response()
}

// DecodeServerResponse reads the response of any server of the Open Inference Protocol. Keys that the
// protocol does not have are skipped: servers add some of their own. The first header bytes
// are JSON, and the data of tensors follows them; -1 stands for a body that is all JSON.
func DecodeServerResponse(body []byte, header int) (*Response, error) {
	if header > len(body) {
		return nil, fault.New(fault.InvalidArgument, "Inference-Header-Content-Length: is %d, the body has %d bytes", header, len(body))
	}
	if header < 0 {
		header = len(body)
	}
	d := newResponseDecoder(body[:header:header], nil)
	d.skipUnknown, d.tail, d.binary = true, true, body[header:]
	r, err := d.response()
	if err == nil && len(d.binary) > 0 {
		return nil, fault.New(fault.InvalidArgument, "body: %d bytes are left over after the data of the outputs", len(d.binary))
	}
	return r, err
}

var responseKeys = []string{"model_name", "model_version", "id", "parameters", "outputs"}

// responseDecoder reads the body of a response.
type responseDecoder struct {
	tensorReader
	keys keys
	resp Response
}

func newResponseDecoder(body []byte, specs []tensor.Spec) *responseDecoder {
	return &responseDecoder{
		tensorReader: tensorReader{scanner: scanner{buf: body}, role: &outputRole, specs: specs, lenient: true},
		keys:         keys{known: responseKeys}, resp: Response{Form: OIP},
	}
}

func (d *responseDecoder) response() (*Response, error) {
	if err := d.document(d.field); err != nil {
		return nil, invalid(err)
	}
	if !d.keys.has("outputs") {
		return nil, invalid(problemf(`missing key "outputs"`))
	}
	return &d.resp, nil
}

func (d *responseDecoder) field(name []byte) error {
	key, known := d.keys.find(name)
	switch {
	case !known && d.skipUnknown:
		return in(printable(name), d.skipValue())
	case !known:
		return problemf("unknown key %s, expected one of %s", clip(name), names.List(string(name), d.keys.known))
	}
	if given, err := d.keys.add(key, &d.scanner); err != nil || !given {
		return err
	}
	var err error
	switch key {
	case "model_name":
		d.resp.Model, err = str(&d.scanner)
	case "model_version":
		d.resp.Version, err = str(&d.scanner)
	case "id":
		d.resp.ID, err = str(&d.scanner)
	case "parameters":
		err = d.skipValue()
	default:
		d.resp.Outputs, err = d.tensors()
	}
	return in(key, err)
}

// outputParameters reads those parameters of an output that say what its data is. A server may
// add any others.
func (r *tensorReader) outputParameters() (map[string]any, error) {
	if r.null() {
		return nil, nil
	}
	if r.next() != '{' {
		return nil, r.want("an object")
	}
	all := map[string]any{}
	err := r.object(func(key []byte) (err error) {
		switch name := string(key); name {
		case "content_type", "binary_data_size":
			if r.null() {
				return nil
			}
			if all[name], err = r.scalar(); err == nil {
				err = extension(name, all[name])
			}
		default:
			err = r.skipValue()
		}
		return in("."+printable(key), err)
	})
	return all, err
}

// isDocuments reports whether the data of an output is JSON documents.
func (r *tensorReader) isDocuments(o *object) bool {
	if i := r.find([]byte(o.name)); i >= 0 {
		return r.specs[i].Kind != tensor.KindTensor
	}
	return o.parameters["content_type"] == "json"
}

// inJSON returns what JSON carries an output as: BYTES for the documents of a sequence or a map.
func inJSON(s tensor.Spec) tensor.Spec {
	if s.Kind != tensor.KindTensor {
		return tensor.Spec{Name: s.Name, DType: tensor.Bytes}
	}
	s.DType = JSONType(s.DType)
	return s
}

// skipValue reads any value and keeps nothing of it.
func (s *scanner) skipValue() error {
	s.next()
	from := s.pos
	if err := s.skip(); err != nil {
		return err
	}
	if !json.Valid(s.buf[from:s.pos]) {
		return problemf("got %s, which is not JSON", clip(s.buf[from:s.pos]))
	}
	return nil
}
