#pragma once

#include "runtime.h"

// What this package uses of the runtime itself, as onnxruntime_c_api.h has it: the
// binding makes a description of an arena's memory only. A test compares the numbers
// with the binding's copy of that header.
enum {
	DEVICE_ALLOCATOR = 0,
	MEM_TYPE_DEFAULT = 0,
	ALLOCATOR_FUNCTIONS = 7, // pointers in OrtAllocator, with the version before them
};

// InstallAllocator makes the sessions of env allocate through an allocator that
// counts the bytes and refuses what is over the limit. 0 is that the C++ library lacks
// what is needed.
int InstallAllocator(OrtEnv *env, OrtStatus **status);

// SetAllocatorLimit bounds the bytes that are allocated at the same time.
void SetAllocatorLimit(int64_t bytes);

// CountMemory counts bytes that a session holds without the allocator, or no longer;
// CountRefused a refusal of such bytes.
void CountMemory(int64_t bytes);
void CountRefused(void);

// AllocatorInUse returns the bytes that are allocated, AllocatorFree how many more may
// be, AllocatorRefused how often memory was refused.
int64_t AllocatorInUse(void);
int64_t AllocatorFree(void);
int64_t AllocatorRefused(void);
