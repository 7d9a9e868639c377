package rows

import (
	"cmp"
	"slices"
	"strings"

	"slipway/server/tensor"
)

// maxCandidates bounds how many ways to stack rows are tried.
const maxCandidates = 12

// candidates returns the ways in which rows may be stacked, the likeliest first: for
// each input the axis, or NoRows.
func candidates(inputs []tensor.Spec) (all [][]tensor.RowAxis) {
	add := func(c []tensor.RowAxis) {
		if len(all) < maxCandidates && !slices.ContainsFunc(all, func(a []tensor.RowAxis) bool { return slices.Equal(a, c) }) &&
			slices.ContainsFunc(c, func(a tensor.RowAxis) bool { return a != tensor.NoRows }) {
			all = append(all, c)
		}
	}
	for _, name := range rowNames(inputs) {
		add(named(inputs, name))
	}
	add(kth(inputs, 0))
	for _, c := range slices.Clone(all[:min(len(all), 2)]) { // one of the inputs may belong to all rows
		for i := range c {
			held := slices.Clone(c)
			held[i] = tensor.NoRows
			add(held)
		}
	}
	for k := 1; slices.ContainsFunc(inputs, func(s tensor.Spec) bool { return k < len(openAxes(s)) }); k++ {
		add(kth(inputs, k))
	}
	return all
}

// openAxes returns the axes that rows can be stacked along. Of a tensor whose rank is
// open the first one is.
func openAxes(s tensor.Spec) (axes []int) {
	if len(s.Shape) == 0 && s.Unranked {
		return []int{0}
	}
	for axis, d := range s.Shape {
		if d < 0 {
			axes = append(axes, axis)
		}
	}
	return axes
}

// kth stacks along the k-th open axis of each input, or its last one.
func kth(inputs []tensor.Spec, k int) []tensor.RowAxis {
	c := make([]tensor.RowAxis, len(inputs))
	for i, in := range inputs {
		c[i] = tensor.NoRows
		if open := openAxes(in); len(open) > 0 {
			c[i] = tensor.RowsAt(open[min(k, len(open)-1)])
		}
	}
	return c
}

// named stacks along the axes of that name. An input that has no such axis is stacked
// along its first open one, unless an input with rows has that name elsewhere: then the
// two belong together in another way.
func named(inputs []tensor.Spec, name string) []tensor.RowAxis {
	c := make([]tensor.RowAxis, len(inputs))
	var others []string
	for i, in := range inputs {
		c[i] = axisNamed(in, name)
		if c[i] > 0 {
			others = append(others, names(in)...)
		}
	}
	for i, in := range inputs {
		if c[i] != 0 {
			continue
		}
		c[i] = tensor.NoRows
		for _, axis := range openAxes(in) {
			if own := nameOf(in, axis); own == "" || !slices.Contains(others, own) {
				c[i] = tensor.RowsAt(axis)
				break
			}
		}
	}
	return c
}

// axisNamed returns the axis of that name: 0 if there is none, NoRows if there are
// several, along which nothing can be stacked.
func axisNamed(s tensor.Spec, name string) (found tensor.RowAxis) {
	for axis := range s.Shape {
		if nameOf(s, axis) == name {
			if found != 0 {
				return tensor.NoRows
			}
			found = tensor.RowsAt(axis)
		}
	}
	return found
}

// rowNames returns the names that rows may have: those that are called so first, then
// by axis.
func rowNames(inputs []tensor.Spec) (all []string) {
	axes := map[string]int{}
	for _, in := range inputs {
		for axis := range in.Shape {
			name := nameOf(in, axis)
			if known, seen := axes[name]; name != "" && (!seen || axis < known) {
				axes[name] = axis
			}
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(rank(a, axes[a]), rank(b, axes[b])) })
	return all
}

func rank(name string, axis int) int {
	if lower := strings.ToLower(name); strings.Contains(lower, "batch") || lower == "n" || lower == "b" {
		return -1
	}
	return axis
}

func names(s tensor.Spec) (all []string) {
	for axis := range s.Shape {
		if name := nameOf(s, axis); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// nameOf returns the name of an open axis, or empty.
func nameOf(s tensor.Spec, axis int) string {
	if s.Shape[axis] >= 0 {
		return ""
	}
	return s.DimName(axis)
}
