package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/fault"
)

// The Open Inference Protocol, version 2, over REST.
func (a *API) v2Routes(r gin.IRoutes) {
	get(r, "/v2", a.v2Server)
	get(r, "/v2/health/live", a.live)
	get(r, "/v2/health/ready", a.ready)
	get(r, allStatistics, a.v2AllStatistics)
	for _, path := range []string{"/v2/models/:model", "/v2/models/:model/versions/:version"} {
		get(r, path, a.v2Metadata)
		get(r, path+"/ready", a.v2Ready)
		get(r, path+"/config", a.v2Config)
		get(r, path+"/stats", a.v2Statistics)
		r.POST(path+"/infer", func(c *gin.Context) {
			a.infer(c, c.Param("model"), c.Param("version"), codec.DecodeOIP)
		})
	}
}

// v2Server describes the server. Binary tensor data is an extension of REST: gRPC
// has it in the protocol.
func (a *API) v2Server(c *gin.Context) {
	s := a.ServerMetadata()
	c.JSON(http.StatusOK, gin.H{
		"name": s.GetName(), "version": s.GetVersion(), "extensions": append([]string{"binary_tensor_data"}, s.GetExtensions()...),
	})
}

func (a *API) v2Ready(c *gin.Context) {
	v, err := a.Catalog.Choose(c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"name": v.Model, "ready": true})
}

// v2Metadata names properties what gRPC has as parameters.
func (a *API) v2Metadata(c *gin.Context) {
	m, err := a.ModelMetadata(callOf(c), c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	metadata := gin.H{
		"name": m.GetName(), "versions": m.GetVersions(), "platform": m.GetPlatform(),
		"inputs": messages(m.GetInputs()), "outputs": messages(m.GetOutputs()),
	}
	if len(m.GetParameters()) > 0 {
		properties := gin.H{}
		for name, p := range m.GetParameters() {
			properties[name] = p.GetStringParam()
		}
		metadata["properties"] = properties
	}
	c.JSON(http.StatusOK, metadata)
}

// v2Config describes how a version runs, in Triton's words.
func (a *API) v2Config(c *gin.Context) {
	config, err := a.ModelConfig(callOf(c), c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, message{config})
}

// allStatistics is Triton's path of the statistics of all models.
const allStatistics = "/v2/models/stats"

// v2AllStatistics has the statistics of all models, unless a model has the name that makes
// the path its own.
func (a *API) v2AllStatistics(c *gin.Context) {
	const name = "stats"
	if _, err := a.Catalog.Model(name); fault.CodeOf(err) == fault.NotFound {
		a.v2Statistics(c)
		return
	}
	c.Params = append(c.Params, gin.Param{Key: "model", Value: name})
	a.v2Metadata(c)
}

// v2Statistics has what a version, the versions of a model or all models have
// done since they were loaded.
func (a *API) v2Statistics(c *gin.Context) {
	statistics, err := a.ModelStatistics(callOf(c), c.Param("model"), c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, message{statistics})
}
