package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"slipway/server/tensor"
)

// A leaf is a json.Number, a string or a bool of arrays that nest evenly.

// tree reads a whole JSON document.
func tree(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var top any
	if err := d.Decode(&top); err != nil {
		return nil, syntax(err)
	}
	if d.More() {
		return nil, errors.New("something follows the JSON document")
	}
	return top, nil
}

// leavesOf reads nested arrays, or a single value.
func leavesOf(raw []byte) (leaves []any, shape []int64, err error) {
	top, err := tree(string(raw))
	if err != nil {
		return nil, nil, err
	}
	return flatten(top)
}

func flatten(top any) (leaves []any, shape []int64, err error) {
	for at := top; ; {
		inner, ok := at.([]any)
		if !ok {
			break
		}
		shape = append(shape, int64(len(inner)))
		if len(inner) == 0 {
			break
		}
		at = inner[0]
	}
	leaves, err = gather(nil, top, shape)
	return leaves, shape, err
}

func gather(leaves []any, at any, shape []int64) ([]any, error) {
	inner, ok := at.([]any)
	if ok != (len(shape) > 0) || ok && int64(len(inner)) != shape[0] {
		return nil, errors.New("the arrays are ragged")
	}
	if ok {
		for _, element := range inner {
			var err error
			if leaves, err = gather(leaves, element, shape[1:]); err != nil {
				return nil, err
			}
		}
		return leaves, nil
	}
	switch at.(type) {
	case json.Number, string, bool:
		return append(leaves, at), nil
	case nil:
		return nil, errors.New("got null, expected a value")
	}
	return nil, errors.New("got an object, expected a value")
}

// elements are the leaves as the data of a tensor.
func elements(d tensor.DType, leaves []any) (any, error) {
	switch d {
	case tensor.Bool:
		return each(leaves, truth)
	case tensor.Int8:
		return each(leaves, whole[int8](8))
	case tensor.Int16:
		return each(leaves, whole[int16](16))
	case tensor.Int32:
		return each(leaves, whole[int32](32))
	case tensor.Int64:
		return each(leaves, whole[int64](64))
	case tensor.Uint8:
		return each(leaves, natural[uint8](8))
	case tensor.Uint16:
		return each(leaves, natural[uint16](16))
	case tensor.Uint32:
		return each(leaves, natural[uint32](32))
	case tensor.Uint64:
		return each(leaves, natural[uint64](64))
	case tensor.FP16:
		return each(leaves, func(leaf any) (tensor.Float16, bool) {
			f, ok := fraction(32)(leaf)
			return tensor.ToFloat16(float32(f)), ok
		})
	case tensor.FP32:
		return each(leaves, func(leaf any) (float32, bool) { f, ok := fraction(32)(leaf); return float32(f), ok })
	case tensor.FP64:
		return each(leaves, fraction(64))
	case tensor.Bytes:
		return each(leaves, func(leaf any) (string, bool) { s, ok := leaf.(string); return s, ok })
	}
	return nil, fmt.Errorf(": %s has no JSON form", d)
}

// each turns all leaves into a type; the error begins with the index of the one that is not of it.
func each[T tensor.Element](leaves []any, as func(any) (T, bool)) ([]T, error) {
	all := make([]T, len(leaves))
	for i, leaf := range leaves {
		var ok bool
		if all[i], ok = as(leaf); !ok {
			return nil, fmt.Errorf("[%d]: got %s, expected %s", i, clip(fmt.Append(nil, leaf)), tensor.DTypeOf[T]())
		}
	}
	return all, nil
}

func truth(leaf any) (bool, bool) { b, ok := leaf.(bool); return b, ok }

func whole[T int8 | int16 | int32 | int64](bits int) func(any) (T, bool) {
	return func(leaf any) (T, bool) {
		n, ok := leaf.(json.Number)
		i, err := strconv.ParseInt(string(n), 10, bits)
		return T(i), ok && err == nil
	}
}

func natural[T uint8 | uint16 | uint32 | uint64](bits int) func(any) (T, bool) {
	return func(leaf any) (T, bool) {
		n, ok := leaf.(json.Number)
		i, err := strconv.ParseUint(string(n), 10, bits)
		return T(i), ok && err == nil
	}
}

// fraction reads a number, or the string for one that JSON has no token for.
func fraction(bits int) func(any) (float64, bool) {
	return func(leaf any) (float64, bool) {
		switch leaf := leaf.(type) {
		case json.Number:
			f, err := strconv.ParseFloat(string(leaf), bits)
			return f, err == nil
		case string:
			switch leaf {
			case "NaN":
				return math.NaN(), true
			case "Infinity":
				return math.Inf(1), true
			case "-Infinity":
				return math.Inf(-1), true
			}
		}
		return 0, false
	}
}
