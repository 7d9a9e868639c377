#pragma once

#include "binding.h"

// Functions of the runtime itself that the binding's C layer does not have, by their
// place in OrtApi, which only grows. A test compares the numbers with the binding's
// copy of onnxruntime_c_api.h.
enum {
	API_VERSION = 24,
	GET_ERROR_CODE = 1,
	OVERRIDABLE_INITIALIZER_COUNT = 32,
	OVERRIDABLE_INITIALIZER_TYPE = 35,
	OVERRIDABLE_INITIALIZER_NAME = 38,
	GET_SYMBOLIC_DIMENSIONS = 63,
	CREATE_CPU_MEMORY_INFO = 69,
	DEFAULT_ALLOCATOR = 78,
	RESIZED_STRING_BUFFER = 252,
	HAS_SHAPE = 390,
};

// The runtime's error codes. Those that are not here say nothing of a run.
enum {
	ERROR_FAIL = 1,
	ERROR_INVALID_ARGUMENT = 2,
	ERROR_RUNTIME_EXCEPTION = 6,
};

// FindRuntime looks the functions up in the library at path, which is loaded already;
// 0 is that it lacks them.
int FindRuntime(const char *path);

// RuntimeFunction returns the function at a place of OrtApi, or NULL before FindRuntime.
const void *RuntimeFunction(int place);

// RuntimeSymbol returns what the library, or one that it needs, exports; or NULL.
void *RuntimeSymbol(const char *name);

// ErrorCode returns the code of a status.
int ErrorCode(OrtStatus *status);
