package tensor

// RowAxis says along which axis of an input or output its rows lie: the parts that
// belong to one instance each. The zero value says that nobody has shown it, and the
// first axis is the likely one. Of a sequence the first axis is the sequence itself, and
// those of its elements follow.
type RowAxis int

// NoRows is the RowAxis of what has no rows: the same value belongs to every instance.
const NoRows RowAxis = -1

// RowsAt returns the RowAxis of rows along an axis.
func RowsAt(axis int) RowAxis { return RowAxis(axis + 1) }

// Axis returns the axis of the rows, which is the first one while none is known.
func (r RowAxis) Axis() int { return max(int(r)-1, 0) }

// RowsOf returns how many rows a value has along an axis; ok is false where it has no
// such axis.
func RowsOf(v Value, axis int) (rows int, ok bool) {
	switch v := v.(type) {
	case *Tensor:
		if axis < len(v.Shape) {
			return int(v.Shape[axis]), true
		}
	case Sequence:
		if axis == 0 {
			return len(v), true
		}
		for i, element := range v {
			n, has := RowsOf(element, axis-1)
			if !has || i > 0 && n != rows {
				return 0, false
			}
			rows, ok = n, true
		}
	}
	return rows, ok
}

// SliceOf returns some rows of a value that has them along that axis: a view along the
// first one, else a copy.
func SliceOf(v Value, axis, from, to int) Value {
	s, isSequence := v.(Sequence)
	if !isSequence {
		return v.(*Tensor).Slice(axis, from, to)
	}
	if axis == 0 {
		return s[from:to:to]
	}
	part := make(Sequence, len(s))
	for i, element := range s {
		part[i] = SliceOf(element, axis-1, from, to)
	}
	return part
}

// RowsFirst returns a value that has its rows along an axis with them along the first.
func RowsFirst(v Value, axis int) Value {
	if axis == 0 {
		return v
	}
	s, isSequence := v.(Sequence)
	if !isSequence {
		return v.(*Tensor).ToFront(axis)
	}
	fronts := make(Sequence, len(s))
	for i, element := range s {
		fronts[i] = RowsFirst(element, axis-1)
	}
	count, _ := RowsOf(v, axis)
	rows := make(Sequence, count)
	for r := range rows {
		row := make(Sequence, len(fronts))
		for i, front := range fronts {
			row[i] = rowOf(front, r)
		}
		rows[r] = row
	}
	return rows
}

// rowOf returns one row of a value that has them along the first axis, without it.
func rowOf(v Value, row int) Value {
	if s, ok := v.(Sequence); ok {
		return s[row]
	}
	t := v.(*Tensor).Rows(row, row+1)
	t.Shape = t.Shape[1:]
	return t
}
