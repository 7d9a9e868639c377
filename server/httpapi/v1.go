package httpapi

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"slipway/server/codec"
	"slipway/server/fault"
)

// KServe's V1 protocol, which is TensorFlow Serving's.
func (a *API) v1Routes(r gin.IRoutes) {
	get(r, "/v1/models", a.v1List)
	get(r, "/v1/models/:model", a.v1Status)
	get(r, "/v1/models/:model/versions/:version", a.v1Status)
	r.POST("/v1/models/:model", a.v1Predict("model"))
	r.POST("/v1/models/:model/versions/:version", a.v1Predict("version"))
}

// v1Predict cuts the verb off the path's last part: gin has no pattern for it.
func (a *API) v1Predict(last string) gin.HandlerFunc {
	return func(c *gin.Context) {
		part, verb, _ := strings.Cut(c.Param(last), ":")
		if verb != "predict" {
			fail(c, fault.New(fault.NotFound, "no verb %q; there is :predict", verb))
			return
		}
		model, version := part, ""
		if last == "version" {
			model, version = c.Param("model"), part
		}
		if c.GetHeader(headerLength) != "" {
			fail(c, fault.New(fault.UnsupportedMedia, "%s: V1 has no binary data; use /v2/models/%s/infer", headerLength, model))
			return
		}
		a.infer(c, model, version, codec.DecodeV1)
	}
}

func (a *API) v1List(c *gin.Context) {
	names := []string{}
	for _, m := range a.Catalog.Models() {
		names = append(names, m.Name)
	}
	c.JSON(http.StatusOK, gin.H{"models": names})
}

// v1Status has KServe's two keys and TensorFlow Serving's one.
func (a *API) v1Status(c *gin.Context) {
	if strings.Contains(c.Request.URL.Path, ":") { // of a verb, which gin has no pattern for
		noMethod(c)
		return
	}
	m, err := a.Catalog.Model(c.Param("model"))
	if err != nil {
		fail(c, err)
		return
	}
	versions, err := a.Versions(callOf(c), m.Name, c.Param("version"))
	if err != nil {
		fail(c, err)
		return
	}
	states := []gin.H{}
	for _, v := range versions {
		states = append(states, gin.H{
			"version": v.Number, "state": "AVAILABLE",
			"status": gin.H{"error_code": "OK", "error_message": ""},
		})
	}
	c.JSON(http.StatusOK, gin.H{"name": m.Name, "ready": len(versions) > 0, "model_version_status": states})
}
