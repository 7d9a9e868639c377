package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/server/tensor"
)

// Answer reads an inference response of the Open Inference Protocol. With specs
// its outputs must be among them; without any it is taken as it comes. JSON
// documents, which sequences and maps are written as, become a tensor.Sequence.
func Answer(response []byte, specs []tensor.Spec) ([]tensor.Named, error) {
	keys, err := object(response, "model_name", "model_version", "id", "parameters", "outputs")
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), ": "))
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(keys["outputs"], &raws); err != nil || raws == nil {
		return nil, errors.New(`outputs: expected an array of objects with "name", "shape", "datatype" and "data"`)
	}
	all := make([]tensor.Named, 0, len(raws))
	for i, raw := range raws {
		out, err := output(raw, specs)
		if err == nil && find(all, out.Name) >= 0 {
			err = fmt.Errorf(".name: duplicate output %q", out.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("outputs[%d]%w", i, err)
		}
		all = append(all, out)
	}
	return all, nil
}

// head is an output without its data.
type head struct {
	name       string
	dtype      tensor.DType
	shape      []int64
	parameters struct {
		ContentType string `json:"content_type"`
	}
}

// output reads an element of "outputs". Its errors begin with the rest of the path.
func output(raw json.RawMessage, specs []tensor.Spec) (tensor.Named, error) {
	keys, err := object(raw, "name", "shape", "datatype", "parameters", "data")
	if err != nil {
		return tensor.Named{}, err
	}
	h, err := headOf(keys)
	if err != nil {
		return tensor.Named{}, err
	}
	documents := h.parameters.ContentType == "json"
	if specs != nil {
		spec, err := specOf(h, specs)
		if err != nil {
			return tensor.Named{}, err
		}
		documents = spec.Kind != tensor.KindTensor
	}
	t, err := data(keys["data"], h.dtype, h.shape)
	if err != nil {
		return tensor.Named{}, err
	}
	if !documents {
		return tensor.Named{Name: h.name, Value: t}, nil
	}
	sequence, err := fromDocuments(t)
	if err != nil {
		return tensor.Named{}, fmt.Errorf(".data%w", err)
	}
	return tensor.Named{Name: h.name, Value: sequence}, nil
}

func headOf(keys map[string]json.RawMessage) (h head, err error) {
	var datatype string
	for _, field := range []struct {
		key  string
		into any
	}{{"name", &h.name}, {"shape", &h.shape}, {"datatype", &datatype}, {"parameters", &h.parameters}} {
		raw := keys[field.key]
		if raw == nil && field.key == "parameters" {
			continue
		}
		if raw == nil {
			return h, fmt.Errorf(": missing key %q", field.key)
		}
		if err := json.Unmarshal(raw, field.into); err != nil {
			return h, fmt.Errorf(".%s: got %s", field.key, clip(raw))
		}
	}
	var ok bool
	if h.dtype, ok = tensor.ParseDType(datatype); !ok {
		return h, fmt.Errorf(".datatype: got %s, expected BOOL, INT8 to INT64, UINT8 to UINT64, FP16, FP32, FP64 or BYTES", clip([]byte(datatype)))
	}
	return h, nil
}

// specOf is what the model says of an output that was written with that type.
func specOf(h head, specs []tensor.Spec) (tensor.Spec, error) {
	at := slices.IndexFunc(specs, func(s tensor.Spec) bool { return s.Name == h.name })
	if at < 0 {
		return tensor.Spec{}, fmt.Errorf(".name: unknown output %s, expected %s", clip([]byte(h.name)), list(specs))
	}
	want := tensor.Bytes
	if specs[at].Kind == tensor.KindTensor {
		want = written(specs[at].DType)
	}
	if h.dtype != want {
		return tensor.Spec{}, fmt.Errorf(".datatype: got %s, the model answers %s for %q", h.dtype, want, h.name)
	}
	return specs[at], nil
}

// data reads an output's "data", flat or nested as the shape is.
func data(raw json.RawMessage, dtype tensor.DType, shape []int64) (*tensor.Tensor, error) {
	if raw == nil {
		return nil, errors.New(`: missing key "data"`)
	}
	count, err := tensor.Count(shape)
	if err != nil {
		return nil, fmt.Errorf(".shape: %w", err)
	}
	leaves, nested, err := leavesOf(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf(".data: %w", err)
	case int64(len(leaves)) != count:
		return nil, fmt.Errorf(".data: got %d elements, shape %s has %d", len(leaves), tensor.ShapeString(shape), count)
	case len(nested) > 1 && count > 0 && !slices.Equal(nested, shape):
		return nil, fmt.Errorf(".data: got arrays nested as %s, shape is %s", tensor.ShapeString(nested), tensor.ShapeString(shape))
	}
	t := &tensor.Tensor{DType: dtype, Shape: append([]int64{}, shape...)}
	if t.Data, err = elements(dtype, leaves); err != nil {
		return nil, fmt.Errorf(".data%w", err)
	}
	return t, nil
}

func list(specs []tensor.Spec) string {
	quoted := make([]string, len(specs))
	for i, s := range specs {
		quoted[i] = fmt.Sprintf("%q", s.Name)
	}
	return strings.Join(quoted, ", ")
}
