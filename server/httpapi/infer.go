package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/serving"
	"slipway/server/tensor"
)

type decoder func(body []byte, inputs []tensor.Spec) (*codec.Request, error)

// infer answers one prediction: choose the version, read, decode, run, encode.
func (a *API) infer(c *gin.Context, model, version string, decode decoder) {
	v, err := a.Catalog.Acquire(model, version)
	if err != nil {
		fail(c, err)
		return
	}
	defer v.Release()
	c.Set(versionName, v)
	answer := takeBuffer()
	defer answer.giveBack()
	if answer.bytes, err = a.answer(c, v, decode, answer.bytes); err != nil {
		fail(c, err)
		return
	}
	c.Header("Slipway-Model", v.Model)
	c.Header("Slipway-Version", v.Number)
	c.Data(http.StatusOK, "application/json", answer.bytes)
}

func (a *API) answer(c *gin.Context, v *serving.Version, decode decoder, into []byte) ([]byte, error) {
	body, err := a.readBody(c)
	if err != nil {
		return into, err
	}
	defer body.giveBack()
	request, err := decode(body.bytes, v.Inputs)
	if err != nil {
		return into, err
	}
	answer, err := v.Infer(c.Request.Context(), serving.Query{Inputs: request.Inputs, Outputs: request.Outputs})
	if err != nil {
		return into, err
	}
	return codec.Append(into, &codec.Response{
		Model: v.Model, Version: v.Number, ID: request.ID,
		Form: request.Form, Rows: rows(request), Outputs: answer.Outputs,
	})
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
