package onnx

// #include <malloc.h>
import "C"

// tuneMalloc holds what C's allocator keeps of freed memory within bounds. By
// itself it raises both thresholds to what was freed before, up to 32 and 64 MiB
// for each thread's arena: then weights lie in the arenas, and a reload finds the
// room that the last model left only if it comes to the same thread.
func tuneMalloc() {
	const mmapFrom, keep = 4 << 20, 16 << 20
	C.mallopt(C.M_MMAP_THRESHOLD, mmapFrom)
	C.mallopt(C.M_TRIM_THRESHOLD, keep)
}

// Trim gives memory of sessions that were closed back to the system. It looks
// through all that C has, so once after several is enough.
func Trim() { C.malloc_trim(0) }
