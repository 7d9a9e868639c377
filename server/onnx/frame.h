#pragma once

#include "binding.h"

// As the runtime numbers them.
enum { KIND_TENSOR = 1, TYPE_STRING = 8 };

// Slot is one value on its way in or out, or what a model says of one.
typedef struct {
	OrtValue *value;
	void *data;  // in: memory lent by Go, pinned while it is here; out: the runtime's
	size_t size; // in: of data, in bytes
	int64_t *shape;
	size_t rank, room; // room is how many dimensions shape can hold
	int kind, type;
} Slot;

// Frame is what one run at a time takes, in C's memory, so that a run costs two
// calls from Go: one that makes the inputs, runs and looks at the outputs, and,
// when Go has copied them, one that frees them.
typedef struct {
	size_t input_count, output_count, wanted; // wanted of the outputs, in this run
	Slot *inputs, *outputs;
	OrtValue **given, **answers;
	char **input_names, **output_names; // the strings are the session's
	void *options;                      // RunOptions, made when first needed
} Frame;

// Where there is no memory left these end the process, as Go does.
Frame *NewFrame(size_t inputs, size_t outputs);
void FreeFrame(Frame *frame);

// FitSlot sets the rank and makes room for it in the shape.
void FitSlot(Slot *slot, size_t rank);
// EmptySlot frees what is in a slot that belongs to no frame.
void EmptySlot(Slot *slot);

// RunFrame reads the inputs' slots and fills the outputs'.
OrtStatus *RunFrame(Frame *frame, void *session, void *options, void *memory);
// DropFrame lets go of the values of a run, whether it came to its end or not.
void DropFrame(Frame *frame);

// DescribeValue fills a slot from the value in it.
OrtStatus *DescribeValue(Slot *slot);
// DescribeElement takes an element of a sequence or map out of it into a slot.
OrtStatus *DescribeElement(OrtValue *container, int i, Slot *slot);
// DescribeInput and DescribeOutput fill a slot with what the model says; the
// name is the runtime's to free.
OrtStatus *DescribeInput(void *session, size_t i, char **name, Slot *slot);
OrtStatus *DescribeOutput(void *session, size_t i, char **name, Slot *slot);
