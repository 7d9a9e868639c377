package modelconfig

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/server/oip"
	"slipway/server/tensor"
)

// setDeclared keeps the declared inputs and outputs, for the comparison with the model's own.
func (c *Config) setDeclared(m *oip.ModelConfig) error {
	var all []error
	declare := func(path string, input, optional bool, name string, dataType oip.DataType, dims []int64) {
		d, err := declared(path, name, dataType, dims, m.GetMaxBatchSize() > 0)
		d.Input, d.Optional = input, optional
		c.Declared, all = append(c.Declared, d), append(all, err)
	}
	for i, in := range m.GetInput() {
		declare(fmt.Sprintf("input[%d]", i), true, in.GetOptional(), in.GetName(), in.GetDataType(), in.GetDims())
	}
	for i, out := range m.GetOutput() {
		declare(fmt.Sprintf("output[%d]", i), false, false, out.GetName(), out.GetDataType(), out.GetDims())
	}
	return errors.Join(all...)
}

func declared(path, name string, dataType oip.DataType, dims []int64, batched bool) (Declared, error) {
	d := Declared{Name: name}
	switch {
	case name == "":
		return d, fmt.Errorf("%s: has no name", path)
	case dataType == oip.DataType_TYPE_INVALID:
		return d, fmt.Errorf("%s: %q has no data_type", path, name)
	}
	d.DType = dtypeOf(dataType)
	for _, size := range dims {
		if size < -1 || size == 0 {
			return d, fmt.Errorf("%s: %q: dims must be positive, or -1 for any size, is %d", path, name, size)
		}
	}
	if len(dims) > 0 && batched {
		dims = append([]int64{-1}, dims...)
	}
	d.Dims = dims
	return d, nil
}

func (c *Config) setWarmUp(all []*oip.ModelWarmup) error {
	var problems []error
	for i, w := range all {
		one := WarmUp{Name: w.GetName(), BatchSize: int(w.GetBatchSize()), Count: int(w.GetCount()), Inputs: map[string]WarmUpInput{}}
		for _, name := range slices.Sorted(maps.Keys(w.GetInputs())) {
			in := w.GetInputs()[name]
			one.Inputs[name] = WarmUpInput{DType: dtypeOf(in.GetDataType()), Dims: in.GetDims(), Random: in.GetRandomData()}
			problems = append(problems, checkWarmUpInput(fmt.Sprintf("model_warmup[%d].inputs", i), name, in))
		}
		c.WarmUp = append(c.WarmUp, one)
	}
	return errors.Join(problems...)
}

func checkWarmUpInput(path, name string, in *oip.ModelWarmup_Input) error {
	switch data := in.GetInputDataType().(type) {
	case *oip.ModelWarmup_Input_ZeroData:
		if !data.ZeroData {
			return fmt.Errorf("%s: %q: zero_data must be true; otherwise remove it", path, name)
		}
	case *oip.ModelWarmup_Input_RandomData:
		if !data.RandomData {
			return fmt.Errorf("%s: %q: random_data must be true; otherwise remove it", path, name)
		}
	case nil:
		return fmt.Errorf("%s: %q: must have zero_data or random_data", path, name)
	}
	if name == "" {
		return fmt.Errorf("%s: needs a key, which is the input's name, and a value", path)
	}
	return nil
}

// dataTypes are Triton's names for the types.
var dataTypes = [...]oip.DataType{
	tensor.Invalid: oip.DataType_TYPE_INVALID,
	tensor.Bool:    oip.DataType_TYPE_BOOL,
	tensor.Int8:    oip.DataType_TYPE_INT8,
	tensor.Int16:   oip.DataType_TYPE_INT16,
	tensor.Int32:   oip.DataType_TYPE_INT32,
	tensor.Int64:   oip.DataType_TYPE_INT64,
	tensor.Uint8:   oip.DataType_TYPE_UINT8,
	tensor.Uint16:  oip.DataType_TYPE_UINT16,
	tensor.Uint32:  oip.DataType_TYPE_UINT32,
	tensor.Uint64:  oip.DataType_TYPE_UINT64,
	tensor.FP16:    oip.DataType_TYPE_FP16,
	tensor.BF16:    oip.DataType_TYPE_BF16,
	tensor.FP32:    oip.DataType_TYPE_FP32,
	tensor.FP64:    oip.DataType_TYPE_FP64,
	tensor.Bytes:   oip.DataType_TYPE_STRING,
}

// DataType returns Triton's name for a type.
func DataType(d tensor.DType) oip.DataType { return dataTypes[d] }

// dtypeOf is the inverse of DataType; Invalid for an unknown type.
func dtypeOf(t oip.DataType) tensor.DType {
	return tensor.DType(max(0, slices.Index(dataTypes[:], t)))
}
