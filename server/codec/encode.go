package codec

import (
	"strconv"

	"slipway/server/fault"
	"slipway/server/tensor"
)

// Append writes a response to dst. What JSON has no token for is written as the
// strings "NaN", "Infinity" and "-Infinity": a model that returns one number that is
// not finite still gets its other numbers to the client.
func Append(dst []byte, r *Response) ([]byte, error) {
	switch r.Form {
	case Rows:
		return appendRows(dst, r)
	case Columns:
		return appendColumns(dst, r)
	default:
		return appendOIP(dst, r, nil), nil
	}
}

// appendColumns writes {"outputs": {name: nested array}}.
func appendColumns(dst []byte, r *Response) ([]byte, error) {
	dst = append(dst, `{"outputs":{`...)
	for i, out := range r.Outputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, out.Name), ':')
		dst = appendValue(dst, out.Value)
	}
	return append(dst, '}', '}'), nil
}

// appendRows writes {"predictions": [row, …]}. A row of a model with one output is
// its value; with several it is an object of them.
func appendRows(dst []byte, r *Response) ([]byte, error) {
	keys := make([][]byte, len(r.Outputs))
	for i, out := range r.Outputs {
		if rows, shape := rowsOf(out.Value); rows != r.Rows {
			return dst, fault.New(fault.InvalidArgument,
				`output %s is %s, which is not one row for each of the %d instances: use the columns form ({"inputs": …}) or under /v2`,
				clip(out.Name), shape, r.Rows)
		}
		if i > 0 {
			keys[i] = append(keys[i], ',')
		}
		keys[i] = append(appendString(keys[i], out.Name), ':')
	}
	dst = append(dst, `{"predictions":[`...)
	for row := range r.Rows {
		if row > 0 {
			dst = append(dst, ',')
		}
		if len(r.Outputs) == 1 {
			dst = appendRow(dst, r.Outputs[0].Value, row)
			continue
		}
		dst = append(dst, '{')
		for i, out := range r.Outputs {
			dst = appendRow(append(dst, keys[i]...), out.Value, row)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']', '}'), nil
}

// rowsOf returns how many rows a value has, -1 for one without rows, and what to call it.
func rowsOf(v tensor.Value) (int, string) {
	switch v := v.(type) {
	case *tensor.Tensor:
		if len(v.Shape) == 0 {
			return -1, "a scalar"
		}
		return int(v.Shape[0]), "of shape " + tensor.ShapeString(v.Shape)
	case tensor.Sequence:
		return len(v), "a sequence of " + strconv.Itoa(len(v))
	}
	return -1, "a map"
}

func appendRow(dst []byte, v tensor.Value, row int) []byte {
	switch v := v.(type) {
	case *tensor.Tensor:
		inner := v.Shape[1:]
		size := v.Len() / int(v.Shape[0])
		return appendNested(dst, v, inner, row*size, size)
	case tensor.Sequence:
		return appendValue(dst, v[row])
	}
	return dst
}

// appendValue writes a tensor as nested arrays, a sequence as an array and a map as an object.
func appendValue(dst []byte, v tensor.Value) []byte {
	switch v := v.(type) {
	case *tensor.Tensor:
		return appendNested(dst, v, v.Shape, 0, v.Len())
	case tensor.Sequence:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	case tensor.Map:
		return appendMap(dst, v)
	}
	return append(dst, "null"...)
}

func appendMap(dst []byte, m tensor.Map) []byte {
	dst = append(dst, '{')
	for i := range m.Keys.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if keys, ok := m.Keys.Data.([]string); ok {
			dst = appendString(dst, keys[i])
		} else {
			dst = append(appendElements(append(dst, '"'), m.Keys, i, i+1), '"')
		}
		dst = appendElements(append(dst, ':'), m.Values, i, i+1)
	}
	return append(dst, '}')
}

// appendNested writes the size elements of t from the one at off as arrays nested by shape.
func appendNested(dst []byte, t *tensor.Tensor, shape []int64, off, size int) []byte {
	switch len(shape) {
	case 0:
		return appendElements(dst, t, off, off+1)
	case 1:
		return append(appendElements(append(dst, '['), t, off, off+size), ']')
	}
	dst = append(dst, '[')
	n := int(shape[0])
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendNested(dst, t, shape[1:], off+i*(size/n), size/n)
	}
	return append(dst, ']')
}
