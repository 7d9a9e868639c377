package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"slipway/server/admission"
	"slipway/server/api"
	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/serving"
)

const (
	headerLength  = "Inference-Header-Content-Length" // of the JSON before binary data
	timeoutHeader = "Slipway-Timeout"
)

// Values of Content-Type, made once.
var (
	mediaJSON   = []string{"application/json"}
	mediaBinary = []string{"application/octet-stream"}
)

// knownLength is the length of a response up to which net/http finds it out by
// itself; it would send a longer one in chunks.
const knownLength = 2 << 10

type decoder func(body []byte, s codec.Signature) (*codec.Request, error)

// infer serves one prediction.
func (a *API) infer(c *gin.Context, model, version string, decode decoder) {
	call := callOf(c)
	p := &prediction{api: a, c: c, charge: call.Charge, model: model, version: version, decode: decode}
	err := a.Predict(c.Request.Context(), call, p)
	if !serving.StillRead(err) {
		p.body.giveBack()
	}
	if call.Model != "" {
		h, names := c.Writer.Header(), []string{call.Model, call.Version}
		h[modelHeader], h[versionHeader] = names[:1:1], names[1:]
	}
	if err == nil {
		p.write()
	} else {
		fail(c, err)
	}
	p.response.giveBack()
}

// prediction is one request and its response.
type prediction struct {
	api            *API
	c              *gin.Context
	charge         *admission.Charge
	model, version string
	decode         decoder

	limit      time.Duration // by the header
	body       *buffer
	request    *codec.Request
	response   *buffer
	jsonLength int // of a response that has binary data after its JSON; else -1
}

// Names are those of the route.
func (p *prediction) Names() (model, version string) { return p.model, p.version }

// Limit has the time that the header gives: the body, which may give less, has
// not been read.
func (p *prediction) Limit() (limit time.Duration, long bool, err error) {
	p.limit, err = timeout(p.c.Request)
	length := p.c.Request.ContentLength
	return p.limit, length > api.LongRequest || length < 0, err
}

// Decode reads the body, of which the tensors may be views.
func (p *prediction) Decode(v *serving.Version) (q serving.Request, err error) {
	if p.body, err = p.api.readBody(p.c, p.api.MaxBodyBytes, p.charge); err != nil {
		return q, err
	}
	if n := header(p.c.Request, headerLength); n != "" {
		if p.decode, err = binaryDecoder(n); err != nil {
			return q, err
		}
	}
	if p.request, err = p.decode(p.body.Bytes, codec.Signature{Inputs: v.Accepts(), Outputs: v.Outputs, Memory: p.decoded}); err != nil {
		return q, err
	}
	return query(v, p.request, p.limit)
}

// decoded charges what the body becomes.
func (p *prediction) decoded(bytes int64) error { return p.charge.Add(admission.Decode, bytes) }

// Encode has the form of the request.
func (p *prediction) Encode(v *serving.Version, a serving.Response) (err error) {
	if err := codec.CheckKeys(a.Outputs); err != nil {
		return err
	}
	r := &codec.Response{
		Model: v.Model, Version: v.Number, ID: p.request.ID,
		Form: p.request.Form, Rows: p.request.Rows, Outputs: a.Outputs,
		BinaryOutputs: p.request.BinaryOutputs, Binary: p.request.Binary,
	}
	if err := p.charge.Add(admission.Encode, codec.Bound(r)); err != nil {
		return err
	}
	p.response = takeBuffer()
	p.response.Bytes, p.jsonLength, err = codec.AppendBinary(p.response.Bytes, r)
	if err == nil {
		err = p.api.CheckResponse(len(p.response.Bytes))
	}
	return err
}

func (p *prediction) write() {
	h := p.c.Writer.Header()
	h["Content-Type"] = mediaJSON
	if p.jsonLength >= 0 {
		h[headerLength] = []string{strconv.Itoa(p.jsonLength)}
		h["Content-Type"] = mediaBinary
	}
	if len(p.response.Bytes) > knownLength {
		h["Content-Length"] = []string{strconv.Itoa(len(p.response.Bytes))}
	}
	p.c.Status(http.StatusOK)
	_, _ = p.c.Writer.Write(p.response.Bytes) // a client that has gone gets nothing
}

func binaryDecoder(length string) (decoder, error) {
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, fault.New(fault.InvalidArgument, "%s: got %q, expected the length of the JSON in bytes", headerLength, length)
	}
	return func(body []byte, s codec.Signature) (*codec.Request, error) {
		return codec.DecodeBinary(body, n, s)
	}, nil
}

// query returns what serving runs, with the shorter timeout of the request's two
// and its priority.
func query(v *serving.Version, r *codec.Request, limit time.Duration) (serving.Request, error) {
	q := serving.Request{Inputs: r.Inputs, Outputs: r.Outputs, Rows: r.Rows, Timeout: limit}
	if r.Model != "" && r.Model != v.Model {
		return q, fault.New(fault.InvalidArgument, "model_name: is %q, the route is that of %q", r.Model, v.Model)
	}
	if r.ModelVersion != "" && r.ModelVersion != v.Number {
		return q, fault.New(fault.InvalidArgument, "model_version: is %q, the route is that of version %s", r.ModelVersion, v.Number)
	}
	limit, err := api.Timeout(r.Parameters["timeout"])
	if err != nil {
		return q, fault.New(fault.InvalidArgument, "parameters.timeout: %w", err)
	}
	if limit > 0 && (q.Timeout == 0 || limit < q.Timeout) {
		q.Timeout = limit
	}
	if q.Priority, err = api.Priority(r.Parameters["priority"]); err != nil {
		return q, fault.New(fault.InvalidArgument, "parameters.priority: %w", err)
	}
	return q, nil
}

// timeout returns the time that a request's header gives; 0 is none.
func timeout(r *http.Request) (time.Duration, error) {
	text := header(r, timeoutHeader)
	if text == "" {
		return 0, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit <= 0 {
		return 0, fault.New(fault.InvalidArgument, "%s: got %q, expected a duration such as 250ms", timeoutHeader, text)
	}
	return limit, nil
}
