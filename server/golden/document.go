package golden

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/server/tensor"
)

// fromDocuments is the sequence whose elements stand in a BYTES tensor as JSON
// documents: a map as an object and a tensor as nested arrays. What the JSON does
// not tell, the types of keys and numbers, is left open: keys are strings, and
// numbers are INT64 if all of them are whole, else FP64.
func fromDocuments(t *tensor.Tensor) (tensor.Sequence, error) {
	texts, ok := t.Data.([]string)
	if !ok {
		return nil, fmt.Errorf(": got %s, expected JSON documents as BYTES", t.DType)
	}
	sequence := make(tensor.Sequence, len(texts))
	for i, text := range texts {
		top, err := tree(text)
		if err == nil {
			sequence[i], err = fromTree(top)
		}
		if err != nil {
			return nil, fmt.Errorf("[%d]: read a JSON document: %w", i, err)
		}
	}
	return sequence, nil
}

func fromTree(top any) (tensor.Value, error) {
	object, ok := top.(map[string]any)
	if !ok {
		return fromArray(top)
	}
	keys := slices.Sorted(maps.Keys(object))
	values := make([]any, len(keys))
	for i, key := range keys {
		values[i] = object[key]
	}
	t, err := fromArray(values)
	if err != nil {
		return nil, err
	}
	if len(t.Shape) != 1 {
		return nil, errors.New("the values of the object are arrays")
	}
	return tensor.Map{Keys: &tensor.Tensor{DType: tensor.Bytes, Shape: t.Shape, Data: keys}, Values: t}, nil
}

func fromArray(top any) (*tensor.Tensor, error) {
	leaves, shape, err := flatten(top)
	if err != nil {
		return nil, err
	}
	t := &tensor.Tensor{Shape: append([]int64{}, shape...)}
	for _, t.DType = range []tensor.DType{tensor.Int64, tensor.FP64, tensor.Bool, tensor.Bytes} {
		if t.Data, err = elements(t.DType, leaves); err == nil {
			return t, nil
		}
	}
	return nil, errors.New("the array mixes types")
}
