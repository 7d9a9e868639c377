package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/tensor"
)

const (
	platform        = "onnxruntime_onnx"
	batchingRefused = "refused: " // begins the property "batching" of a version that runs without what was asked for
)

// extensions are the parts of Triton's protocol that are served besides the common one.
var extensions = []string{"binary_tensor_data", "model_configuration", "model_repository", "statistics"}

// The Open Inference Protocol, version 2, over REST.
func (a *API) v2Routes(r gin.IRoutes) {
	r.GET("/v2", a.v2Server)
	r.GET("/v2/health/live", a.live)
	r.GET("/v2/health/ready", a.isReady)
	r.GET("/v2/models/stats", a.v2Statistics)
	for _, path := range []string{"/v2/models/:model", "/v2/models/:model/versions/:version"} {
		r.GET(path, a.v2Metadata)
		r.GET(path+"/ready", a.v2Ready)
		r.GET(path+"/config", a.v2Config)
		r.GET(path+"/stats", a.v2Statistics)
		r.POST(path+"/infer", func(c *gin.Context) {
			a.infer(c, c.Param("model"), c.Param("version"), codec.DecodeOIP)
		})
	}
}

func (a *API) v2Server(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"name": "slipway", "version": a.Version, "extensions": extensions})
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
	m, v, err := a.choose(c)
	if err != nil {
		fail(c, err)
		return
	}
	metadata := gin.H{
		"name": m.Name, "versions": m.Numbers(), "platform": platform,
		"inputs": describe(v.Inputs), "outputs": describe(v.Outputs),
	}
	if v.BatchingRefused() != "" {
		metadata["properties"] = gin.H{"batching": batchingRefused + v.BatchingRefused()}
	}
	c.JSON(http.StatusOK, metadata)
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
