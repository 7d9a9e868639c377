// Package number reads and writes the numbers of JSON text.
//
// The readers take a text and the position where a number begins, and return its value
// and the position behind it. The writers put a number into a buffer of fixed size. No value
// is boxed and no string is made on the way, because a body is mostly numbers. Floats
// are rounded to the nearest value, ties to even, as strconv.ParseFloat rounds them, and are
// written with the fewest digits that read back as the same value, in the format of
// encoding/json.
//
// The package must not know what numbers are for: white space, arrays, tensors, requests and
// the wording of errors belong to package codec. Of what surrounds a number it knows only
// the comma, in Float32s.
package number

import "errors"

// The reasons for which a reader returns no value. The position that comes with ErrSyntax
// is that of the number's begin, the one that comes with the others is that of its end.
var (
	ErrSyntax   = errors.New("not a number by the grammar of JSON")
	ErrRange    = errors.New("the number is out of the range of its type")
	ErrFraction = errors.New("the number is not whole")
)
