#pragma once

#include <stdint.h>
#include <stdlib.h>

typedef struct OrtAllocator OrtAllocator;
typedef struct OrtEnv OrtEnv;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtStatus OrtStatus;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtValue OrtValue;

// BINDING_FUNCTIONS lists the functions that this package takes from the C layer
// of onnxruntime_go, which is linked into the same binary, each as F(result, name,
// parameters). The runtime's enums are unsigned here, which is what they are to
// the compiler. One list declares the functions and makes the table that Init
// checks; a test compiles it beside the binding's own header.
#define BINDING_FUNCTIONS(F) \
	F(const char *, GetErrorMessage, (OrtStatus *status)) \
	F(void, ReleaseOrtStatus, (OrtStatus *status)) \
	\
	F(OrtStatus *, CreateOrtEnv, (char *name, OrtEnv **out)) \
	F(OrtStatus *, RegisterAllocator, (OrtEnv *env, OrtAllocator *allocator)) \
	F(void, ReleaseOrtEnv, (OrtEnv *env)) \
	\
	F(OrtStatus *, CreateSessionOptions, (OrtSessionOptions **out)) \
	F(OrtStatus *, SetSessionLogSeverityLevel, (OrtSessionOptions *options, int level)) \
	F(OrtStatus *, SetIntraOpNumThreads, (OrtSessionOptions *options, int n)) \
	F(OrtStatus *, AddSessionConfigEntry, (OrtSessionOptions *options, char *key, char *value)) \
	F(OrtStatus *, SetCpuMemArena, (OrtSessionOptions *options, int on)) \
	F(OrtStatus *, SetMemPattern, (OrtSessionOptions *options, int on)) \
	F(void, ReleaseSessionOptions, (OrtSessionOptions *options)) \
	F(OrtStatus *, CreateSessionFromFile, (char *path, OrtEnv *env, OrtSession **out, OrtSessionOptions *options)) \
	F(void, ReleaseOrtSession, (OrtSession *session)) \
	\
	F(OrtStatus *, SessionGetInputCount, (OrtSession *session, size_t *out)) \
	F(OrtStatus *, SessionGetOutputCount, (OrtSession *session, size_t *out)) \
	F(OrtStatus *, SessionGetInputName, (OrtSession *session, size_t i, char **out)) \
	F(OrtStatus *, SessionGetOutputName, (OrtSession *session, size_t i, char **out)) \
	F(OrtStatus *, SessionGetInputTypeInfo, (OrtSession *session, size_t i, OrtTypeInfo **out)) \
	F(OrtStatus *, SessionGetOutputTypeInfo, (OrtSession *session, size_t i, OrtTypeInfo **out)) \
	F(OrtStatus *, FreeWithDefaultORTAllocator, (void *name)) \
	F(OrtStatus *, GetONNXTypeFromTypeInfo, (OrtTypeInfo *type, unsigned *out)) \
	F(OrtStatus *, CastTypeInfoToTensorInfo, (OrtTypeInfo *type, OrtTensorTypeAndShapeInfo **out)) \
	F(void, ReleaseTypeInfo, (OrtTypeInfo *type)) \
	\
	F(OrtStatus *, CreateRunOptions, (OrtRunOptions **out)) \
	F(OrtStatus *, RunOptionsSetTerminate, (OrtRunOptions *options)) \
	F(OrtStatus *, RunOptionsUnsetTerminate, (OrtRunOptions *options)) \
	F(void, ReleaseRunOptions, (OrtRunOptions *options)) \
	F(OrtStatus *, RunOrtSessionWithOptions, (OrtSession *session, OrtValue **inputs, char **input_names, int input_count, \
		OrtValue **outputs, char **output_names, int output_count, OrtRunOptions *options)) \
	\
	F(OrtStatus *, CreateOrtTensorWithShape, (void *data, size_t size, int64_t *shape, int64_t rank, \
		OrtMemoryInfo *memory, unsigned type, OrtValue **out)) \
	F(OrtStatus *, CreateTensorAsOrtValue, (int64_t *shape, int64_t rank, unsigned type, OrtValue **out)) \
	F(void, ReleaseOrtValue, (OrtValue *value)) \
	F(OrtStatus *, GetValueType, (OrtValue *value, unsigned *out)) \
	F(OrtStatus *, GetValueCount, (OrtValue *value, size_t *out)) \
	F(OrtStatus *, GetValue, (OrtValue *container, int index, OrtValue **out)) \
	F(OrtStatus *, GetTensorTypeAndShape, (const OrtValue *value, OrtTensorTypeAndShapeInfo **out)) \
	F(OrtStatus *, GetTensorElementType, (const OrtTensorTypeAndShapeInfo *info, unsigned *out)) \
	F(OrtStatus *, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo *info, size_t *out)) \
	F(OrtStatus *, GetDimensions, (const OrtTensorTypeAndShapeInfo *info, int64_t *out, size_t rank)) \
	F(void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo *info)) \
	F(OrtStatus *, GetTensorMutableData, (OrtValue *value, void **out)) \
	F(OrtStatus *, GetStringTensorDataLength, (OrtValue *value, size_t *out)) \
	F(OrtStatus *, GetStringTensorContent, (OrtValue *value, void *buffer, size_t size, size_t *offsets, size_t count))

// Weak, because cgo links this package alone once to look at its symbols. The
// linker therefore does not notice a function that is missing; Init does.
#define DECLARE(result, name, parameters) __attribute__((weak)) extern result name parameters;
BINDING_FUNCTIONS(DECLARE)
#undef DECLARE

typedef struct {
	const char *name;
	const void *address; // NULL if the binding has no such function
} BindingFunction;

// BindingFunctions returns the table and its length.
const BindingFunction *BindingFunctions(size_t *count);
