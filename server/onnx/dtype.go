package onnx

import (
	"slices"

	ort "github.com/yalue/onnxruntime_go"

	"slipway/server/tensor"
)

var elementTypes = [...]ort.TensorElementDataType{
	tensor.Invalid: ort.TensorElementDataTypeUndefined,
	tensor.Bool:    ort.TensorElementDataTypeBool,
	tensor.Int8:    ort.TensorElementDataTypeInt8,
	tensor.Int16:   ort.TensorElementDataTypeInt16,
	tensor.Int32:   ort.TensorElementDataTypeInt32,
	tensor.Int64:   ort.TensorElementDataTypeInt64,
	tensor.Uint8:   ort.TensorElementDataTypeUint8,
	tensor.Uint16:  ort.TensorElementDataTypeUint16,
	tensor.Uint32:  ort.TensorElementDataTypeUint32,
	tensor.Uint64:  ort.TensorElementDataTypeUint64,
	tensor.FP16:    ort.TensorElementDataTypeFloat16,
	tensor.BF16:    ort.TensorElementDataTypeBFloat16,
	tensor.FP32:    ort.TensorElementDataTypeFloat,
	tensor.FP64:    ort.TensorElementDataTypeDouble,
	tensor.Bytes:   ort.TensorElementDataTypeString,
}

// dtypeOf is the inverse of elementTypes; Invalid for what is not served.
func dtypeOf(t ort.TensorElementDataType) tensor.DType {
	return tensor.DType(max(0, slices.Index(elementTypes[:], t)))
}
