package golden

import (
	"fmt"
	"strconv"

	"slipway/server/tensor"
)

// size is how many elements a tensor of a good shape has.
func size(t *tensor.Tensor) int {
	n := 1
	for _, d := range t.Shape {
		n *= int(d)
	}
	return n
}

// fractional types are compared with a tolerance.
func fractional(d tensor.DType) bool {
	return d == tensor.FP16 || d == tensor.BF16 || d == tensor.FP32 || d == tensor.FP64
}

// number is the i-th element of a tensor of numbers.
func number(t *tensor.Tensor, i int) (float64, bool) {
	switch d := t.Data.(type) {
	case []float32:
		return float64(d[i]), true
	case []float64:
		return d[i], true
	case []tensor.Float16:
		return float64(d[i].Float32()), true
	case []tensor.BFloat16:
		return float64(d[i].Float32()), true
	case []int64:
		return float64(d[i]), true
	}
	if t.DType == tensor.Bytes || t.DType == tensor.Bool {
		return 0, false
	}
	f, err := strconv.ParseFloat(text(t, i), 64)
	return f, err == nil
}

// text is the i-th element as it is written, which for whole numbers is exact.
func text(t *tensor.Tensor, i int) string {
	switch d := t.Data.(type) {
	case []bool:
		return strconv.FormatBool(d[i])
	case []int8:
		return strconv.Itoa(int(d[i]))
	case []int16:
		return strconv.Itoa(int(d[i]))
	case []int32:
		return strconv.Itoa(int(d[i]))
	case []int64:
		return strconv.FormatInt(d[i], 10)
	case []uint8:
		return strconv.Itoa(int(d[i]))
	case []uint16:
		return strconv.Itoa(int(d[i]))
	case []uint32:
		return strconv.FormatUint(uint64(d[i]), 10)
	case []uint64:
		return strconv.FormatUint(d[i], 10)
	case []tensor.Float16:
		return fmt.Sprint(d[i].Float32())
	case []tensor.BFloat16:
		return fmt.Sprint(d[i].Float32())
	case []float32:
		return strconv.FormatFloat(float64(d[i]), 'g', -1, 32)
	case []float64:
		return strconv.FormatFloat(d[i], 'g', -1, 64)
	case []string:
		return d[i]
	}
	return ""
}
