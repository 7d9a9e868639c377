package number

// #cgo CFLAGS: -O3
// #cgo noescape ReadFloat32s
// #cgo nocallback ReadFloat32s
// #include "float32s.h"
import "C"

import "unsafe"

// Float32s reads numbers from b[at:] into a slice, each with a comma behind it and one space
// at most before it. It stops before the first number that is written in a rare form, and
// returns how many it read and the position where it stopped; Float32 reads that number
// or refuses it. For those that Float32s reads, Float32 gives the same values in more than twice the
// time: C has instructions that convert sixteen digits at once.
func Float32s(b []byte, at int, into []float32) (n, end int) {
	read := C.ReadFloat32s((*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b)), C.size_t(at),
		(*C.float)(unsafe.SliceData(into)), C.size_t(len(into)))
	return int(read.count), int(read.end)
}
