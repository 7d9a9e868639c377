package onnx

// #include "allocator.h"
import "C"

import "errors"

// installAllocator makes the sessions of the environment allocate through an
// allocator that has a limit. By itself the runtime takes whatever a model, or a
// request to it, computes: 16 bytes may ask for a gigabyte.
func installAllocator() error {
	var status *C.OrtStatus
	if C.InstallAllocator(environment, &status) == 0 {
		return errors.New("the C++ library has no std::__throw_bad_alloc")
	}
	return statusError(status)
}

// LimitMemory bounds the bytes that all sessions hold for weights and runs. A run
// that needs more fails; a model that needs more is not loaded. Sessions that have an
// arena allocate by themselves, without a limit.
func LimitMemory(bytes int64) { C.SetAllocatorLimit(C.int64_t(bytes)) }

// MemoryInUse returns the bytes that all sessions hold.
func MemoryInUse() int64 { return int64(C.AllocatorInUse()) }

// MemoryRefused returns how often a session was refused memory.
func MemoryRefused() int64 { return int64(C.AllocatorRefused()) }
