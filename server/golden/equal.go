package golden

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"slipway/server/tensor"
)

// Equal is nil when got has the outputs of want, in any order, and each number is
// within the tolerance; else the error says where they differ first.
func Equal(got, want []tensor.Named, t Tolerance) error {
	for _, w := range want {
		i := find(got, w.Name)
		if i < 0 {
			return fmt.Errorf("output %q: missing", w.Name)
		}
		if err := equalValue(got[i].Value, w.Value, t); err != nil {
			return fmt.Errorf("output %q%w", w.Name, err)
		}
	}
	for _, g := range got {
		if find(want, g.Name) < 0 {
			return fmt.Errorf("output %q: not wanted", g.Name)
		}
	}
	return nil
}

// equalValue and what it calls give errors that begin with the rest of the path.
func equalValue(got, want tensor.Value, t Tolerance) error {
	g, gok := got.(*tensor.Tensor)
	w, wok := want.(*tensor.Tensor)
	if !gok || !wok {
		return equalSequence(got, want, t)
	}
	if written(g.DType) != written(w.DType) {
		return fmt.Errorf(": got datatype %s, want %s", g.DType, w.DType)
	}
	if !slices.Equal(g.Shape, w.Shape) {
		return fmt.Errorf(": got shape %s, want %s", tensor.ShapeString(g.Shape), tensor.ShapeString(w.Shape))
	}
	return equalElements(g, w, t)
}

// written is the type that JSON carries a type as.
func written(d tensor.DType) tensor.DType {
	if d == tensor.BF16 {
		return tensor.FP32
	}
	return d
}

// equalSequence compares what is, on one side at least, a sequence or a map. One
// of them may come from JSON, so neither the types of numbers and keys nor the
// order of keys count.
func equalSequence(got, want tensor.Value, t Tolerance) error {
	g, err := sequenceOf(got)
	if err != nil {
		return fmt.Errorf(": got no sequence: %w", err)
	}
	w, err := sequenceOf(want)
	if err != nil {
		return fmt.Errorf(": want no sequence: %w", err)
	}
	if len(g) != len(w) {
		return fmt.Errorf(": got a sequence of %d, want %d", len(g), len(w))
	}
	for i := range w {
		if err := equalElement(g[i], w[i], t); err != nil {
			return fmt.Errorf("[%d]%w", i, err)
		}
	}
	return nil
}

// sequenceOf is the list that a value is written as.
func sequenceOf(v tensor.Value) (tensor.Sequence, error) {
	switch v := v.(type) {
	case tensor.Sequence:
		return v, nil
	case *tensor.Tensor:
		return fromDocuments(v)
	}
	return tensor.Sequence{v}, nil
}

func equalElement(got, want tensor.Value, t Tolerance) error {
	switch w := want.(type) {
	case tensor.Map:
		if g, ok := got.(tensor.Map); ok {
			return equalMap(g, w, t)
		}
	case *tensor.Tensor:
		if g, ok := got.(*tensor.Tensor); ok {
			if len(g.Shape) != len(w.Shape) && size(g)+size(w) > 0 || size(g) != size(w) {
				return fmt.Errorf(": got shape %s, want %s", tensor.ShapeString(g.Shape), tensor.ShapeString(w.Shape))
			}
			return equalElements(g, w, t)
		}
	case tensor.Sequence:
		return equalSequence(got, want, t)
	}
	return fmt.Errorf(": got %s, want %s", called(got), called(want))
}

func equalMap(got, want tensor.Map, t Tolerance) error {
	places := map[string]int{}
	for i := range size(got.Keys) {
		places[text(got.Keys, i)] = i
	}
	if n := size(want.Keys); n != len(places) {
		return fmt.Errorf(": got a map of %d, want %d", len(places), n)
	}
	for i := range size(want.Keys) {
		key := text(want.Keys, i)
		at, ok := places[key]
		if !ok {
			return fmt.Errorf("[%q]: missing", key)
		}
		if err := equalAt(got.Values, at, want.Values, i, t); err != nil {
			return fmt.Errorf("[%q]%w", key, err)
		}
	}
	return nil
}

// equalElements compares tensors of as many elements.
func equalElements(got, want *tensor.Tensor, t Tolerance) error {
	for i := range size(want) {
		if err := equalAt(got, i, want, i, t); err != nil {
			return fmt.Errorf("%s%w", place(i, want.Shape), err)
		}
	}
	return nil
}

func equalAt(got *tensor.Tensor, i int, want *tensor.Tensor, j int, t Tolerance) error {
	if !fractional(got.DType) && !fractional(want.DType) {
		if g, w := text(got, i), text(want, j); g != w {
			return fmt.Errorf(": got %s, want %s", quoted(got, g), quoted(want, w))
		}
		return nil
	}
	g, gok := number(got, i)
	w, wok := number(want, j)
	switch {
	case !gok || !wok:
		return fmt.Errorf(": got %s, want %s", quoted(got, text(got, i)), quoted(want, text(want, j)))
	case t.within(g, w):
		return nil
	case math.IsNaN(g-w) || math.IsInf(g-w, 0):
		return fmt.Errorf(": got %s, want %s", text(got, i), text(want, j))
	}
	return fmt.Errorf(": got %s, want %s (off by %.3g, tolerance %s)", text(got, i), text(want, j), math.Abs(g-w), t)
}

// place is the index of the i-th element, such as [3,1]; a scalar has none.
func place(i int, shape []int64) string {
	if len(shape) == 0 {
		return ""
	}
	index := make([]int64, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		index[axis] = int64(i) % shape[axis]
		i /= int(shape[axis])
	}
	return tensor.ShapeString(index)
}

func called(v tensor.Value) string {
	switch v.(type) {
	case *tensor.Tensor:
		return "a tensor"
	case tensor.Map:
		return "a map"
	}
	return "a sequence"
}

func quoted(t *tensor.Tensor, text string) string {
	if t.DType != tensor.Bytes {
		return text
	}
	const limit = 64
	if len(text) > limit {
		return strconv.Quote(strings.ToValidUTF8(text[:limit], "")) + "…"
	}
	return strconv.Quote(text)
}
