package onnx

// #include <malloc.h>
import "C"

// trim gives memory that C has freed back to the system. The allocator itself
// keeps most of it in the arenas of its threads.
func trim() { C.malloc_trim(0) }
