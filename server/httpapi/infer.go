package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/fault"
	"slipway/server/serving"
	"slipway/server/telemetry"
	"slipway/server/tensor"
)

const (
	headerLength  = "Inference-Header-Content-Length" // of the JSON before binary data
	timeoutHeader = "Slipway-Timeout"
)

// longBody is the length from which a request that is to be refused for lack of
// time is better refused before it is read.
const longBody = 16 << 10

type decoder func(body []byte, inputs []tensor.Spec) (*codec.Request, error)

// infer answers one prediction: choose the version, read, decode, run, encode.
func (a *API) infer(c *gin.Context, model, version string, decode decoder) {
	v, err := a.Catalog.Acquire(model, version)
	if err != nil {
		fail(c, err)
		return
	}
	defer v.Release()
	h, names := c.Writer.Header(), []string{v.Model, v.Number}
	h[modelHeader], h[versionHeader] = names[:1:1], names[1:]
	answer := takeBuffer()
	defer answer.giveBack()
	var length int
	if answer.bytes, length, err = a.answer(c, v, decode, answer.bytes); err != nil {
		fail(c, err)
		return
	}
	h["Content-Type"] = mediaJSON
	if length >= 0 {
		h[headerLength] = []string{strconv.Itoa(length)}
		h["Content-Type"] = mediaBinary
	}
	if len(answer.bytes) > foundOut {
		h["Content-Length"] = []string{strconv.Itoa(len(answer.bytes))}
	}
	c.Status(http.StatusOK)
	_, _ = c.Writer.Write(answer.bytes) // a client that has gone gets nothing
}

// foundOut is the length up to which net/http finds out an answer's by itself; it
// would send a longer one in chunks.
const foundOut = 2 << 10

// Values of Content-Type, made once.
var (
	mediaJSON   = []string{"application/json"}
	mediaBinary = []string{"application/octet-stream"}
)

// answer appends the answer to into, with the length of its JSON where binary
// data follows it, else -1.
func (a *API) answer(c *gin.Context, v *serving.Version, decode decoder, into []byte) (body []byte, length int, err error) {
	began := time.Now()
	limit, err := timeout(c.Request)
	if err == nil && (c.Request.ContentLength > longBody || c.Request.ContentLength < 0) {
		err = v.Admit(limit)
	}
	if err != nil {
		return into, -1, err
	}
	asked, err := a.readBody(c)
	if err != nil {
		return into, -1, err
	}
	// Tensors may be views of the body; Infer has let go of them when it returns.
	defer asked.giveBack()
	if n := header(c.Request, headerLength); n != "" {
		if decode, err = binaryDecoder(n); err != nil {
			return into, -1, err
		}
	}
	request, err := decode(asked.bytes, v.Inputs)
	if err != nil {
		return into, -1, err
	}
	q, err := query(v, request, limit)
	if err != nil {
		return into, -1, err
	}
	decoded := time.Now()
	answer, err := v.Infer(c.Request.Context(), q)
	if err != nil {
		return into, -1, err
	}
	body, length, err = codec.AppendBinary(into, &codec.Response{
		Model: v.Model, Version: v.Number, ID: request.ID,
		Form: request.Form, Rows: rows(request), Outputs: answer.Outputs,
		BinaryOutputs: request.BinaryOutputs, Binary: request.Binary,
	})
	if a.Tracing {
		telemetry.Trace(c.Request.Context(), v.Model, v.Number, answer.BatchSize,
			telemetry.Phase{Name: "decode", From: began, To: decoded},
			telemetry.Phase{Name: "queue", From: answer.Queued, To: answer.Started},
			telemetry.Phase{Name: "run", From: answer.Started, To: answer.Finished},
			telemetry.Phase{Name: "encode", From: answer.Finished, To: time.Now()})
	}
	return body, length, err
}

func binaryDecoder(length string) (decoder, error) {
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, fault.New(fault.InvalidArgument, "%s: got %q, expected the length of the JSON in bytes", headerLength, length)
	}
	return func(body []byte, inputs []tensor.Spec) (*codec.Request, error) {
		return codec.DecodeBinary(body, n, inputs)
	}, nil
}

// query is what a request asks, with the deadline and the priority that it gives.
func query(v *serving.Version, r *codec.Request, limit time.Duration) (serving.Query, error) {
	q := serving.Query{Inputs: r.Inputs, Outputs: r.Outputs, Timeout: limit}
	if r.Model != "" && r.Model != v.Model {
		return q, fault.New(fault.InvalidArgument, "model_name: is %q, the route is that of %q", r.Model, v.Model)
	}
	if r.ModelVersion != "" && r.ModelVersion != v.Number {
		return q, fault.New(fault.InvalidArgument, "model_version: is %q, the route is that of version %s", r.ModelVersion, v.Number)
	}
	micros, err := natural(r.Parameters, "timeout", int64(24*time.Hour/time.Microsecond))
	if limit := time.Duration(micros) * time.Microsecond; limit > 0 && (q.Timeout == 0 || limit < q.Timeout) {
		q.Timeout = limit
	}
	if err != nil {
		return q, err
	}
	priority, err := natural(r.Parameters, "priority", 1<<31)
	q.Priority = int(priority)
	return q, err
}

// timeout is the deadline that a request's header gives; 0 is none.
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

// natural reads a parameter that is a whole number from 0, which is also what
// is not given.
func natural(parameters map[string]any, name string, most int64) (int64, error) {
	v, given := parameters[name]
	if !given {
		return 0, nil
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > most {
		return 0, fault.New(fault.InvalidArgument, "parameters.%s: got %v, expected a whole number from 0 to %d", name, v, most)
	}
	return n, nil
}

// rows is how many instances the question had: the length of every input's first axis.
func rows(r *codec.Request) int {
	if r.Form != codec.Rows {
		return 0
	}
	t, ok := r.Inputs[0].Value.(*tensor.Tensor)
	if !ok {
		return 0
	}
	return int(t.Shape[0])
}
