package onnx

// #include <malloc.h>
import "C"

// tuneMalloc bounds the freed memory that C's allocator keeps. By itself it raises
// both thresholds to what was freed before, up to 32 and 64 MiB for each heap: then
// weights lie in the heaps, and a load finds the space of the last model only if it
// comes to the same thread. Without it the process holds up to 68 MiB after 200 loads
// of 10 MB, and 42 MiB after 5 (go test -run TestMemoryAfterManyLoads ./server/onnx).
func tuneMalloc() {
	const mmapThreshold, trimThreshold = 4 << 20, 16 << 20
	C.mallopt(C.M_MMAP_THRESHOLD, mmapThreshold)
	C.mallopt(C.M_TRIM_THRESHOLD, trimThreshold)
}

// Trim returns the memory of closed sessions to the system. It goes through all of
// C's memory, so one call after several sessions is enough. Without it the process
// holds ×1.75 after 100 reloads of 10 MB under load (scripts/bench -run TestSoak).
func Trim() { C.malloc_trim(0) }
