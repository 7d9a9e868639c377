#pragma once

#include "runtime.h"

// The runtime's numbers.
enum { KIND_TENSOR = 1, TYPE_STRING = 8 };

// Value is one input or output of a run, or the description of one by the model.
typedef struct {
	OrtValue *handle;
	void *data;  // of an input: Go's memory, pinned for the run; of an output: the runtime's
	size_t size; // of an input's data, in bytes
	int64_t *shape;
	size_t rank, shape_capacity; // shape holds rank dimensions and has space for shape_capacity
	unsigned kind, type;

	// Of a description by the model.
	char **names; // of the dimensions; "" where one has none
	size_t names_count;
	int unranked; // the model leaves the rank open
} Value;

// allocate returns zeroed memory, or ends the process, as Go does, if there is none.
void *allocate(size_t count, size_t size);

// ReserveShape sets the rank and makes the shape large enough for it.
void ReserveShape(Value *value, size_t rank);
// ReleaseValue releases the runtime's value and keeps the shape's memory.
void ReleaseValue(Value *value);
// FreeValue releases everything in a value.
void FreeValue(Value *value);

// DescribeValue reads kind, type, shape and data from the handle.
OrtStatus *DescribeValue(Value *value);
// DescribeElement takes element i out of a sequence or map and describes it.
OrtStatus *DescribeElement(OrtValue *container, int i, Value *value);
// DescribeType reads kind, type, shape and names from a type and frees the type.
OrtStatus *DescribeType(OrtTypeInfo *type, Value *value);

// FillStrings copies strings, which follow each other in bytes, into a tensor of them. They
// may have NUL bytes, unlike those that the binding fills in.
OrtStatus *FillStrings(OrtValue *value, const char *bytes, const size_t *lengths, size_t count);
