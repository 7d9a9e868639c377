package httpapi

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"slipway/server/modelconfig"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// v2Config is how a version runs, in Triton's words.
func (a *API) v2Config(c *gin.Context) {
	m, v, err := a.choose(c)
	if err != nil {
		fail(c, err)
		return
	}
	parameters := gin.H{"intra_op_thread_count": gin.H{"string_value": strconv.Itoa(v.IntraOpThreads)}}
	if v.BatchingRefused() != "" {
		parameters["batching"] = gin.H{"string_value": batchingRefused + v.BatchingRefused()}
	}
	config := gin.H{
		"name": m.Name, "platform": platform, "backend": "onnxruntime", "default_model_filename": "model.onnx",
		"version_policy": versionPolicy(m.Config.Versions), "max_batch_size": v.MaxBatchSize,
		"input": configured(v.Inputs, v.MaxBatchSize), "output": configured(v.Outputs, v.MaxBatchSize),
		"instance_group": []gin.H{{"name": m.Name, "count": v.Instances, "kind": "KIND_CPU"}},
		"parameters":     parameters,
	}
	if v.MaxBatchSize > 0 {
		config["dynamic_batching"] = dynamicBatching(m.Config)
	}
	c.JSON(http.StatusOK, config)
}

type tensorConfig struct {
	Name     string  `json:"name"`
	DataType string  `json:"data_type"`
	Dims     []int64 `json:"dims"`
}

// configured leaves the batch axis out of the dims of a model that batches.
func configured(specs []tensor.Spec, maxBatchSize int) []tensorConfig {
	all := make([]tensorConfig, len(specs))
	for i, s := range describe(specs) {
		all[i] = tensorConfig{Name: s.Name, DataType: "TYPE_" + s.Datatype, Dims: s.Shape}
		if s.Datatype == tensor.Bytes.String() {
			all[i].DataType = "TYPE_STRING"
		}
		if maxBatchSize > 0 && specs[i].Kind == tensor.KindTensor && len(s.Shape) > 0 {
			all[i].Dims = s.Shape[1:]
		}
	}
	return all
}

func versionPolicy(v modelconfig.Versions) gin.H {
	switch {
	case v.All:
		return gin.H{"all": gin.H{}}
	case len(v.Specific) > 0:
		return gin.H{"specific": gin.H{"versions": v.Specific}}
	}
	return gin.H{"latest": gin.H{"num_versions": v.Latest}}
}

func dynamicBatching(s modelconfig.Config) gin.H {
	preferred := append([]int{}, s.Batching.PreferredBatchSizes...)
	return gin.H{
		"preferred_batch_size": preferred, "max_queue_delay_microseconds": s.Batching.MaxQueueDelay.Microseconds(),
		"priority_levels": s.Queue.PriorityLevels, "default_priority_level": s.Queue.DefaultPriority,
		"default_queue_policy": gin.H{
			"timeout_action": "REJECT", "default_timeout_microseconds": s.Queue.Timeout.Microseconds(),
			"allow_timeout_override": true, "max_queue_size": s.Queue.MaxRequests,
		},
	}
}

// choose finds the model and version of a route, to be described.
func (a *API) choose(c *gin.Context) (*serving.Model, *serving.Version, error) {
	m, err := a.Catalog.Model(c.Param("model"))
	if err != nil {
		return nil, nil, err
	}
	v, err := m.Version(c.Param("version"))
	return m, v, err
}
