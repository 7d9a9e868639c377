package bench

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"slipway/server/tensor"
)

// parseElements turns JSON's numbers, booleans and strings into a []T for dtype.
func parseElements(dtype tensor.DType, flat []any) (any, error) {
	data := tensor.Make(dtype, len(flat))
	for i, element := range flat {
		if err := setElement(data, i, element); err != nil {
			return nil, fmt.Errorf("data[%d]: %w", i, err)
		}
	}
	return data, nil
}

func setElement(data any, i int, element any) (err error) {
	switch d := data.(type) {
	case []bool:
		var ok bool
		if d[i], ok = element.(bool); !ok {
			return fmt.Errorf("got %v, expected true or false", element)
		}
	case []string:
		var ok bool
		if d[i], ok = element.(string); !ok {
			return fmt.Errorf("got %v, expected a string", element)
		}
	case []int8:
		err = setInt(d, i, element, 8)
	case []int16:
		err = setInt(d, i, element, 16)
	case []int32:
		err = setInt(d, i, element, 32)
	case []int64:
		err = setInt(d, i, element, 64)
	case []uint8:
		err = setUint(d, i, element, 8)
	case []uint16:
		err = setUint(d, i, element, 16)
	case []uint32:
		err = setUint(d, i, element, 32)
	case []uint64:
		err = setUint(d, i, element, 64)
	default:
		return setFloat(data, i, element)
	}
	return err
}

func setFloat(data any, i int, element any) error {
	bits := 32
	if _, double := data.([]float64); double {
		bits = 64
	}
	// Servers write what JSON has no number for as strings, such as "NaN".
	f, err := strconv.ParseFloat(digits(element), bits)
	if err != nil {
		return fmt.Errorf("got %v, expected a number", element)
	}
	switch d := data.(type) {
	case []float64:
		d[i] = f
	case []float32:
		d[i] = float32(f)
	case []tensor.Float16:
		d[i] = tensor.ToFloat16(float32(f))
	case []tensor.BFloat16:
		d[i] = tensor.ToBFloat16(float32(f))
	}
	return nil
}

func setInt[T int8 | int16 | int32 | int64](d []T, i int, element any, bits int) error {
	n, err := strconv.ParseInt(digits(element), 10, bits)
	if err != nil {
		return fmt.Errorf("got %v, expected an integer of %d bits", element, bits)
	}
	d[i] = T(n)
	return nil
}

func setUint[T uint8 | uint16 | uint32 | uint64](d []T, i int, element any, bits int) error {
	n, err := strconv.ParseUint(digits(element), 10, bits)
	if err != nil {
		return fmt.Errorf("got %v, expected an unsigned integer of %d bits", element, bits)
	}
	d[i] = T(n)
	return nil
}

func digits(element any) string {
	switch e := element.(type) {
	case json.Number:
		return e.String()
	case string:
		return e
	}
	return ""
}

// appendJSON writes the elements as a flat array.
func appendJSON(dst []byte, t *tensor.Tensor) ([]byte, error) {
	switch d := t.Data.(type) {
	case []uint8: // encoding/json would write base64
		return appendList(dst, d, func(dst []byte, n uint8) []byte { return strconv.AppendUint(dst, uint64(n), 10) }), nil
	case []tensor.Float16:
		return appendList(dst, d, func(dst []byte, f tensor.Float16) []byte { return appendFloat(dst, f.Float32()) }), nil
	case []tensor.BFloat16:
		return appendList(dst, d, func(dst []byte, f tensor.BFloat16) []byte { return appendFloat(dst, f.Float32()) }), nil
	}
	text, err := json.Marshal(t.Data)
	return append(dst, text...), err
}

func appendList[T any](dst []byte, all []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, element := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, element)
	}
	return append(dst, ']')
}

func appendFloat(dst []byte, f float32) []byte {
	return strconv.AppendFloat(dst, float64(f), 'g', -1, 32)
}

// appendRaw writes the elements as the binary extension and gRPC's raw contents have them.
func appendRaw(dst []byte, t *tensor.Tensor) ([]byte, error) {
	texts, ok := t.Data.([]string)
	if !ok {
		return binary.Append(dst, binary.LittleEndian, t.Data)
	}
	for _, s := range texts {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst, nil
}

// fromRaw is the inverse of appendRaw.
func fromRaw(dtype tensor.DType, shape []int64, raw []byte) (*tensor.Tensor, error) {
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, err
	}
	if size := dtype.Size(); count > int64(len(raw)) || size > 0 && count*int64(size) != int64(len(raw)) {
		return nil, fmt.Errorf("%d bytes are no %s of shape %s", len(raw), dtype, tensor.ShapeString(shape))
	}
	t := &tensor.Tensor{DType: dtype, Shape: shape, Data: tensor.Make(dtype, int(count))}
	texts, ok := t.Data.([]string)
	if !ok {
		_, err := binary.Decode(raw, binary.LittleEndian, t.Data)
		return t, err
	}
	for i := range texts {
		if len(raw) < 4 || uint64(binary.LittleEndian.Uint32(raw)) > uint64(len(raw)-4) {
			return nil, fmt.Errorf("element %d of %d is cut off", i, count)
		}
		end := 4 + int(binary.LittleEndian.Uint32(raw))
		texts[i], raw = string(raw[4:end]), raw[end:]
	}
	return t, nil
}

// numberAt is an element as a number; ok is false for strings and booleans.
func numberAt(data any, i int) (x float64, ok bool) {
	switch d := data.(type) {
	case []int8:
		return float64(d[i]), true
	case []int16:
		return float64(d[i]), true
	case []int32:
		return float64(d[i]), true
	case []int64:
		return float64(d[i]), true
	case []uint8:
		return float64(d[i]), true
	case []uint16:
		return float64(d[i]), true
	case []uint32:
		return float64(d[i]), true
	case []uint64:
		return float64(d[i]), true
	case []tensor.Float16:
		return float64(d[i].Float32()), true
	case []tensor.BFloat16:
		return float64(d[i].Float32()), true
	case []float32:
		return float64(d[i]), true
	case []float64:
		return d[i], true
	}
	return math.NaN(), false
}
