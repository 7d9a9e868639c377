package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// The Open Inference Protocol, version 2, over REST.
func (a *API) v2Routes(r gin.IRoutes) {
	r.GET("/v2", a.v2Server)
	r.GET("/v2/health/live", a.live)
	r.GET("/v2/health/ready", a.isReady)
	for _, path := range []string{"/v2/models/:model", "/v2/models/:model/versions/:version"} {
		r.GET(path, a.v2Metadata)
		r.GET(path+"/ready", a.v2Ready)
		r.POST(path+"/infer", func(c *gin.Context) {
			a.infer(c, c.Param("model"), c.Param("version"), codec.DecodeOIP)
		})
	}
}

func (a *API) v2Server(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"name": "slipway", "version": a.Version, "extensions": []string{}})
}

func (a *API) v2Ready(c *gin.Context) {
	v, err := a.Catalog.Choose(c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"name": v.Model, "ready": true})
}

type tensorMetadata struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
}

func (a *API) v2Metadata(c *gin.Context) {
	m, err := a.Catalog.Model(c.Param("model"))
	if err != nil {
		fail(c, err)
		return
	}
	v, err := m.Version(c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{
		"name": m.Name, "versions": m.Numbers(), "platform": "onnxruntime_onnx",
		"inputs": describe(v.Inputs), "outputs": describe(v.Outputs),
	})
}

// describe names sequences and maps as what they are sent as: JSON in BYTES.
func describe(specs []tensor.Spec) []tensorMetadata {
	all := make([]tensorMetadata, len(specs))
	for i, s := range specs {
		all[i] = tensorMetadata{Name: s.Name, Datatype: s.DType.String(), Shape: s.Shape}
		if s.Kind != tensor.KindTensor {
			all[i].Datatype, all[i].Shape = tensor.Bytes.String(), []int64{-1}
		}
	}
	return all
}
