package api

import (
	"fmt"
	"slices"
	"strconv"

	"slipway/server/modelconfig"
	"slipway/server/oip"
	"slipway/server/serving"
	"slipway/server/tensor"
)

// ModelConfig describes in Triton's words how a version runs.
func (a *API) ModelConfig(call *Call, model, version string) (*oip.ModelConfig, error) {
	m, v, err := a.choose(call, model, version)
	if err != nil {
		return nil, err
	}
	batchSize := batchSize(v)
	c := &oip.ModelConfig{
		Name: m.Name, Platform: platform, Backend: backend, DefaultModelFilename: "model.onnx",
		VersionPolicy: versionPolicy(m.Config.Versions),
		MaxBatchSize:  int32(batchSize),
		InstanceGroup: []*oip.ModelInstanceGroup{{Name: m.Name, Count: int32(v.Instances), Kind: oip.ModelInstanceGroup_KIND_CPU}},
		Parameters: map[string]*oip.ModelParameter{
			"intra_op_thread_count": {StringValue: strconv.Itoa(v.IntraOpThreads)},
			"runtime_version":       {StringValue: serving.Runtime()},
		},
		ModelWarmup: warmUps(m.Config.WarmUp),
	}
	for _, spec := range v.Inputs {
		dtype, dims := configured(spec, batchSize)
		c.Input = append(c.Input, &oip.ModelInput{Name: spec.Name, DataType: dtype, Dims: dims})
	}
	for _, spec := range v.Optional { // which are no part of a batch
		dtype, dims := configured(spec, 0)
		c.Input = append(c.Input, &oip.ModelInput{Name: spec.Name, DataType: dtype, Dims: dims, Optional: true})
	}
	for _, spec := range v.Outputs {
		dtype, dims := configured(spec, batchSize)
		c.Output = append(c.Output, &oip.ModelOutput{Name: spec.Name, DataType: dtype, Dims: dims})
	}
	if v.MaxBatchSize > 0 {
		c.SchedulingChoice = &oip.ModelConfig_DynamicBatching{DynamicBatching: dynamicBatching(m.Config)}
	}
	if text := batching(v, batchSize); text != "" {
		c.Parameters["batching"] = &oip.ModelParameter{StringValue: text}
	}
	return c, nil
}

// batchSize returns the most rows of a batch as Triton means it, whose batches lie along
// the first axis of every input and output: 0 where they do not.
func batchSize(v *serving.Version) int {
	for _, spec := range slices.Concat(v.Inputs, v.Outputs) {
		if spec.Kind == tensor.KindTensor && spec.Rows.Axis() > 0 {
			return 0
		}
	}
	return v.MaxBatchSize
}

// batching returns what batchSize does not say of the batching that was asked for.
func batching(v *serving.Version, batchSize int) string {
	switch {
	case v.BatchingRefused() != "":
		return batchingRefused + v.BatchingRefused()
	case v.MaxBatchSize > batchSize:
		return fmt.Sprintf("up to %d rows, which do not all lie along the first axis", v.MaxBatchSize)
	}
	return v.Unproved
}

// configured returns the type of an input or output as the configuration has it:
// the batch axis is not among the dims of a model that batches.
func configured(s tensor.Spec, maxBatchSize int) (oip.DataType, []int64) {
	dtype, dims := wireType(s)
	if maxBatchSize > 0 && s.Kind == tensor.KindTensor && len(dims) > 0 {
		dims = dims[1:]
	}
	return dataType(dtype), dims
}

// dataType returns Triton's name of a data type.
func dataType(d tensor.DType) oip.DataType {
	if d == tensor.Bytes {
		return oip.DataType_TYPE_STRING
	}
	return oip.DataType(oip.DataType_value["TYPE_"+d.String()])
}

func versionPolicy(v modelconfig.Versions) *oip.ModelVersionPolicy {
	switch {
	case v.All:
		return &oip.ModelVersionPolicy{PolicyChoice: &oip.ModelVersionPolicy_All_{All: &oip.ModelVersionPolicy_All{}}}
	case len(v.Specific) > 0:
		return &oip.ModelVersionPolicy{PolicyChoice: &oip.ModelVersionPolicy_Specific_{
			Specific: &oip.ModelVersionPolicy_Specific{Versions: v.Specific},
		}}
	}
	return &oip.ModelVersionPolicy{PolicyChoice: &oip.ModelVersionPolicy_Latest_{
		Latest: &oip.ModelVersionPolicy_Latest{NumVersions: uint32(v.Latest)},
	}}
}

func dynamicBatching(c modelconfig.Config) *oip.ModelDynamicBatching {
	b := &oip.ModelDynamicBatching{
		MaxQueueDelayMicroseconds: uint64(c.Batching.MaxQueueDelay.Microseconds()),
		PriorityLevels:            uint64(c.Queue.PriorityLevels),
		DefaultPriorityLevel:      uint64(c.Queue.DefaultPriority),
		DefaultQueuePolicy: &oip.ModelQueuePolicy{
			DefaultTimeoutMicroseconds: uint64(c.Queue.Timeout.Microseconds()),
			AllowTimeoutOverride:       true,
			MaxQueueSize:               uint32(c.Queue.MaxRequests),
		},
	}
	for _, size := range c.Batching.PreferredBatchSizes {
		b.PreferredBatchSize = append(b.PreferredBatchSize, int32(size))
	}
	return b
}

func warmUps(all []modelconfig.WarmUp) []*oip.ModelWarmup {
	var list []*oip.ModelWarmup
	for _, w := range all {
		m := &oip.ModelWarmup{
			Name: w.Name, BatchSize: uint32(w.BatchSize), Count: uint32(w.Count), Inputs: map[string]*oip.ModelWarmup_Input{},
		}
		for name, in := range w.Inputs {
			i := &oip.ModelWarmup_Input{DataType: dataType(in.DType), Dims: in.Dims, InputDataType: &oip.ModelWarmup_Input_ZeroData{ZeroData: true}}
			if in.Random {
				i.InputDataType = &oip.ModelWarmup_Input_RandomData{RandomData: true}
			}
			m.Inputs[name] = i
		}
		list = append(list, m)
	}
	return list
}
