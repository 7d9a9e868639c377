#pragma once

#include <stdint.h>
#include <stdlib.h>

// Functions of onnxruntime_go's C layer, which is linked into the same binary.
// Weak, because cgo links this package alone once to look at its symbols.
#define FROM_BINDING __attribute__((weak)) extern

typedef struct OrtStatus OrtStatus;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo TypeInfo;
typedef struct OrtTensorTypeAndShapeInfo Info;

FROM_BINDING const char *GetErrorMessage(OrtStatus *status);
FROM_BINDING void ReleaseOrtStatus(OrtStatus *status);

FROM_BINDING OrtStatus *SessionGetInputCount(void *session, size_t *out);
FROM_BINDING OrtStatus *SessionGetOutputCount(void *session, size_t *out);
FROM_BINDING OrtStatus *SessionGetInputName(void *session, size_t i, char **out);
FROM_BINDING OrtStatus *SessionGetOutputName(void *session, size_t i, char **out);
FROM_BINDING OrtStatus *SessionGetInputTypeInfo(void *session, size_t i, TypeInfo **out);
FROM_BINDING OrtStatus *SessionGetOutputTypeInfo(void *session, size_t i, TypeInfo **out);
FROM_BINDING OrtStatus *FreeWithDefaultORTAllocator(void *name);
FROM_BINDING OrtStatus *GetONNXTypeFromTypeInfo(TypeInfo *type, int *out);
FROM_BINDING OrtStatus *CastTypeInfoToTensorInfo(TypeInfo *type, Info **out);
FROM_BINDING void ReleaseTypeInfo(TypeInfo *type);

FROM_BINDING OrtStatus *CreateRunOptions(void **out);
FROM_BINDING OrtStatus *RunOptionsSetTerminate(void *options);
FROM_BINDING OrtStatus *RunOptionsUnsetTerminate(void *options);
FROM_BINDING void ReleaseRunOptions(void *options);
FROM_BINDING OrtStatus *RunOrtSessionWithOptions(void *session, OrtValue **inputs, char **input_names, int input_count,
	OrtValue **outputs, char **output_names, int output_count, void *options);

FROM_BINDING OrtStatus *CreateOrtTensorWithShape(void *data, size_t size, int64_t *shape, int64_t rank,
	void *memory, int type, OrtValue **out);
FROM_BINDING OrtStatus *CreateTensorAsOrtValue(int64_t *shape, int64_t rank, int type, OrtValue **out);
FROM_BINDING OrtStatus *FillStringTensor(OrtValue *value, char **strings, size_t count);
FROM_BINDING void ReleaseOrtValue(OrtValue *value);
FROM_BINDING OrtStatus *GetValueType(OrtValue *value, int *out);
FROM_BINDING OrtStatus *GetValueCount(OrtValue *value, size_t *out);
FROM_BINDING OrtStatus *GetValue(OrtValue *container, int index, OrtValue **out);
FROM_BINDING OrtStatus *GetTensorTypeAndShape(const OrtValue *value, Info **out);
FROM_BINDING OrtStatus *GetTensorElementType(const Info *info, int *out);
FROM_BINDING OrtStatus *GetDimensionsCount(const Info *info, size_t *out);
FROM_BINDING OrtStatus *GetDimensions(const Info *info, int64_t *out, size_t rank);
FROM_BINDING void ReleaseTensorTypeAndShapeInfo(Info *info);
FROM_BINDING OrtStatus *GetTensorMutableData(OrtValue *value, void **out);
FROM_BINDING OrtStatus *GetStringTensorDataLength(OrtValue *value, size_t *out);
FROM_BINDING OrtStatus *GetStringTensorContent(OrtValue *value, void *buffer, size_t size, size_t *offsets, size_t count);
