package golden

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"slipway/server/codec"
	"slipway/server/tensor"
)

// Equal returns nil if got has the outputs of want, in any order, and each number is
// within the tolerance; else an error that says where they differ first. Whole numbers must be equal.
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

// equalValue and the functions that it calls return errors that begin with the rest of the path.
func equalValue(got, want tensor.Value, t Tolerance) error {
	g, gok := got.(*tensor.Tensor)
	w, wok := want.(*tensor.Tensor)
	if !gok || !wok {
		return equalSequence(got, want, t)
	}
	if codec.JSONType(g.DType) != codec.JSONType(w.DType) {
		return fmt.Errorf(": got datatype %s, want %s", g.DType, w.DType)
	}
	if !slices.Equal(g.Shape, w.Shape) {
		return fmt.Errorf(": got shape %s, want %s", tensor.ShapeString(g.Shape), tensor.ShapeString(w.Shape))
	}
	return equalElements(g, w, t)
}

// equalSequence compares values of which one at least is a sequence or a map. One
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

// sequenceOf returns the list that a value is written as.
func sequenceOf(v tensor.Value) (tensor.Sequence, error) {
	switch v := v.(type) {
	case tensor.Sequence:
		return v, nil
	case *tensor.Tensor:
		return codec.FromDocuments(v)
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
			if len(g.Shape) != len(w.Shape) && g.Len()+w.Len() > 0 || g.Len() != w.Len() {
				return fmt.Errorf(": got shape %s, want %s", tensor.ShapeString(g.Shape), tensor.ShapeString(w.Shape))
			}
			return equalElements(g, w, t)
		}
	case tensor.Sequence:
		return equalSequence(got, want, t)
	}
	return fmt.Errorf(": got %s, want %s", kindOf(got), kindOf(want))
}

func equalMap(got, want tensor.Map, t Tolerance) error {
	places := map[string]int{}
	for i := range got.Keys.Len() {
		places[got.Keys.Text(i)] = i
	}
	if n := want.Keys.Len(); n != len(places) {
		return fmt.Errorf(": got a map of %d, want %d", len(places), n)
	}
	for i := range want.Keys.Len() {
		key := want.Keys.Text(i)
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
	for i := range want.Len() {
		if err := equalAt(got, i, want, i, t); err != nil {
			return fmt.Errorf("%s%w", place(i, want.Shape), err)
		}
	}
	return nil
}

func equalAt(got *tensor.Tensor, i int, want *tensor.Tensor, j int, t Tolerance) error {
	if !got.DType.IsFloat() && !want.DType.IsFloat() {
		if g, w := got.Text(i), want.Text(j); g != w {
			return fmt.Errorf(": got %s, want %s", quoted(got, g), quoted(want, w))
		}
		return nil
	}
	g, gok := got.Float(i)
	w, wok := want.Float(j)
	switch {
	case !gok || !wok:
		return fmt.Errorf(": got %s, want %s", quoted(got, got.Text(i)), quoted(want, want.Text(j)))
	case t.within(g, w):
		return nil
	case math.IsNaN(g-w) || math.IsInf(g-w, 0):
		return fmt.Errorf(": got %s, want %s", got.Text(i), want.Text(j))
	}
	return fmt.Errorf(": got %s, want %s (off by %.3g, tolerance %s)", got.Text(i), want.Text(j), math.Abs(g-w), t)
}

// place returns the index of the i-th element, such as [3,1]; a scalar has none.
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

func kindOf(v tensor.Value) string {
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
