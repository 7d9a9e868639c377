#include "value.h"

#include <stdbool.h>
#include <string.h>

void *allocate(size_t count, size_t size) {
	void *p = calloc(count + 1, size); // of no elements calloc may return NULL
	if (!p) abort();
	return p;
}

void ReserveShape(Value *v, size_t rank) {
	v->rank = rank;
	if (rank <= v->shape_capacity && v->shape) return;
	v->shape_capacity = rank < 8 ? 8 : rank;
	v->shape = realloc(v->shape, v->shape_capacity * sizeof *v->shape);
	if (!v->shape) abort();
}

void ReleaseValue(Value *v) {
	if (v->handle) ReleaseOrtValue(v->handle);
	v->handle = NULL;
	v->data = NULL;
}

static void free_names(Value *v) {
	for (size_t i = 0; i < v->names_count; i++) free(v->names[i]);
	free(v->names);
	v->names = NULL;
	v->names_count = 0;
}

void FreeValue(Value *v) {
	ReleaseValue(v);
	free_names(v);
	free(v->shape);
	v->shape = NULL;
	v->shape_capacity = 0;
}

static OrtStatus *read_tensor_type(const OrtTensorTypeAndShapeInfo *info, Value *v) {
	OrtStatus *status = GetTensorElementType(info, &v->type);
	if (status) return status;
	size_t rank = 0;
	status = GetDimensionsCount(info, &rank);
	if (status) return status;
	ReserveShape(v, rank);
	return GetDimensions(info, v->shape, rank);
}

OrtStatus *DescribeValue(Value *v) {
	OrtStatus *status = GetValueType(v->handle, &v->kind);
	if (status || v->kind != KIND_TENSOR) return status;
	OrtTensorTypeAndShapeInfo *info = NULL;
	status = GetTensorTypeAndShape(v->handle, &info);
	if (status) return status;
	status = read_tensor_type(info, v);
	ReleaseTensorTypeAndShapeInfo(info);
	if (status || v->type == TYPE_STRING) return status;
	return GetTensorMutableData(v->handle, &v->data);
}

OrtStatus *DescribeElement(OrtValue *container, int i, Value *v) {
	OrtStatus *status = GetValue(container, i, &v->handle);
	return status ? status : DescribeValue(v);
}

// Reads what only a model's description has. The runtime's names are the type's.
static OrtStatus *read_names(const OrtTensorTypeAndShapeInfo *info, Value *v) {
	bool (*has_shape)(const OrtTensorTypeAndShapeInfo *) =
		(bool (*)(const OrtTensorTypeAndShapeInfo *))RuntimeFunction(HAS_SHAPE);
	OrtStatus *(*get)(const OrtTensorTypeAndShapeInfo *, const char **, size_t) =
		(OrtStatus *(*)(const OrtTensorTypeAndShapeInfo *, const char **, size_t))RuntimeFunction(GET_SYMBOLIC_DIMENSIONS);
	v->unranked = !has_shape(info);
	const char **names = allocate(v->rank, sizeof *names);
	OrtStatus *status = get(info, names, v->rank);
	if (!status) {
		v->names = allocate(v->rank, sizeof *v->names);
		v->names_count = v->rank;
		for (size_t i = 0; i < v->rank; i++) {
			v->names[i] = strdup(names[i]);
			if (!v->names[i]) abort();
		}
	}
	free(names);
	return status;
}

OrtStatus *DescribeType(OrtTypeInfo *type, Value *v) {
	free_names(v);
	OrtStatus *status = GetONNXTypeFromTypeInfo(type, &v->kind);
	if (!status && v->kind == KIND_TENSOR) {
		OrtTensorTypeAndShapeInfo *info = NULL; // the type's
		status = CastTypeInfoToTensorInfo(type, &info);
		if (!status) status = read_tensor_type(info, v);
		if (!status) status = read_names(info, v);
	}
	ReleaseTypeInfo(type);
	return status;
}

OrtStatus *FillStrings(OrtValue *value, const char *bytes, const size_t *lengths, size_t count) {
	OrtStatus *(*resize)(OrtValue *, size_t, size_t, char **) =
		(OrtStatus *(*)(OrtValue *, size_t, size_t, char **))RuntimeFunction(RESIZED_STRING_BUFFER);
	for (size_t i = 0; i < count; i++) {
		char *element = NULL;
		OrtStatus *status = resize(value, i, lengths[i], &element);
		if (status) return status;
		memcpy(element, bytes, lengths[i]);
		bytes += lengths[i];
	}
	return NULL;
}
