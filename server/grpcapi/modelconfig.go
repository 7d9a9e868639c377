package grpcapi

import (
	"context"
	"strconv"

	"slipway/server/modelconfig"
	"slipway/server/oip"
	"slipway/server/tensor"
)

// ModelConfig is how a version runs, in Triton's words.
func (s *service) ModelConfig(ctx context.Context, r *oip.ModelConfigRequest) (*oip.ModelConfigResponse, error) {
	m, v, err := s.choose(ctx, r.GetName(), r.GetVersion())
	if err != nil {
		return nil, err
	}
	c := &oip.ModelConfig{
		Name: m.Name, Platform: platform, Backend: backend, DefaultModelFilename: "model.onnx",
		VersionPolicy: versionPolicy(m.Config.Versions),
		MaxBatchSize:  int32(v.MaxBatchSize),
		InstanceGroup: []*oip.ModelInstanceGroup{{Name: m.Name, Count: int32(v.Instances), Kind: oip.ModelInstanceGroup_KIND_CPU}},
		Parameters:    map[string]*oip.ModelParameter{"intra_op_thread_count": {StringValue: strconv.Itoa(v.IntraOpThreads)}},
		ModelWarmup:   warmUps(m.Config.WarmUp),
	}
	for _, spec := range v.Inputs {
		dtype, dims := configured(spec, v.MaxBatchSize)
		c.Input = append(c.Input, &oip.ModelInput{Name: spec.Name, DataType: dtype, Dims: dims})
	}
	for _, spec := range v.Outputs {
		dtype, dims := configured(spec, v.MaxBatchSize)
		c.Output = append(c.Output, &oip.ModelOutput{Name: spec.Name, DataType: dtype, Dims: dims})
	}
	if v.MaxBatchSize > 0 {
		c.SchedulingChoice = &oip.ModelConfig_DynamicBatching{DynamicBatching: dynamicBatching(m.Config)}
	}
	if v.BatchingRefused() != "" {
		c.Parameters["batching"] = &oip.ModelParameter{StringValue: refused + v.BatchingRefused()}
	}
	return &oip.ModelConfigResponse{Config: c}, nil
}

// configured is the type of an input or output as the configuration has it: the
// batch axis is not among the dims of a model that batches.
func configured(s tensor.Spec, maxBatchSize int) (oip.DataType, []int64) {
	dtype, dims := wireType(s)
	if maxBatchSize > 0 && s.Kind == tensor.KindTensor && len(dims) > 0 {
		dims = dims[1:]
	}
	return dataTypes[dtype], dims
}

var dataTypes = map[tensor.DType]oip.DataType{
	tensor.Bool:   oip.DataType_TYPE_BOOL,
	tensor.Int8:   oip.DataType_TYPE_INT8,
	tensor.Int16:  oip.DataType_TYPE_INT16,
	tensor.Int32:  oip.DataType_TYPE_INT32,
	tensor.Int64:  oip.DataType_TYPE_INT64,
	tensor.Uint8:  oip.DataType_TYPE_UINT8,
	tensor.Uint16: oip.DataType_TYPE_UINT16,
	tensor.Uint32: oip.DataType_TYPE_UINT32,
	tensor.Uint64: oip.DataType_TYPE_UINT64,
	tensor.FP16:   oip.DataType_TYPE_FP16,
	tensor.BF16:   oip.DataType_TYPE_BF16,
	tensor.FP32:   oip.DataType_TYPE_FP32,
	tensor.FP64:   oip.DataType_TYPE_FP64,
	tensor.Bytes:  oip.DataType_TYPE_STRING,
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

func dynamicBatching(s modelconfig.Config) *oip.ModelDynamicBatching {
	b := &oip.ModelDynamicBatching{
		MaxQueueDelayMicroseconds: uint64(s.Batching.MaxQueueDelay.Microseconds()),
		PriorityLevels:            uint64(s.Queue.PriorityLevels),
		DefaultPriorityLevel:      uint64(s.Queue.DefaultPriority),
		DefaultQueuePolicy: &oip.ModelQueuePolicy{
			DefaultTimeoutMicroseconds: uint64(s.Queue.Timeout.Microseconds()),
			AllowTimeoutOverride:       true,
			MaxQueueSize:               uint32(s.Queue.MaxRequests),
		},
	}
	for _, size := range s.Batching.PreferredBatchSizes {
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
			i := &oip.ModelWarmup_Input{DataType: dataTypes[in.DType], Dims: in.Dims, InputDataType: &oip.ModelWarmup_Input_ZeroData{ZeroData: true}}
			if in.Random {
				i.InputDataType = &oip.ModelWarmup_Input_RandomData{RandomData: true}
			}
			m.Inputs[name] = i
		}
		list = append(list, m)
	}
	return list
}
