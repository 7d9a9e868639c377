// Package number reads and writes the numbers of JSON text.
//
// The readers (Integer, Float16, Float32, Float64) take a text and the position where a
// number begins, and return its value and the position behind it. The writers (PutInteger,
// PutFloat32, …) put a number into a buffer of fixed size. Neither boxes a value or allocates
// for a number in a common form, because a body is mostly numbers. Floats are rounded to the
// nearest value, ties to even, as strconv.ParseFloat rounds them, and are written with the
// fewest digits that read back as the same value, in the format of encoding/json.
//
// The package must not know what numbers are for: white space, arrays, tensors, requests and
// the wording of errors belong to package codec. It knows the space and the comma between
// numbers only in Float32s, which reads many in one call.
package number

import "errors"

// The reasons why a reader returns no value. ErrSyntax comes with the position where the number
// should begin, the others come with the position behind the number.
var (
	ErrSyntax   = errors.New("not a number by the grammar of JSON")
	ErrRange    = errors.New("the number is out of the range of its type")
	ErrFraction = errors.New("the number is not whole")
)
