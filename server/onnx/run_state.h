#pragma once

#include "value.h"

// RunState is the memory that one run at a time needs. It is C's, so that a run
// costs two calls from Go: RunModel, which makes the inputs, runs and describes the
// outputs, and, once Go has copied those, ReleaseRun.
typedef struct {
	size_t input_count, output_count;
	size_t given_count;    // of the inputs, in this run
	size_t selected_count; // of the outputs, in this run
	Value *inputs, *outputs;
	OrtValue **input_handles, **output_handles;
	char **input_names, **output_names; // the strings are the session's
	OrtRunOptions *options;             // made for the first run
} RunState;

RunState *NewRunState(size_t inputs, size_t outputs);
void FreeRunState(RunState *state);

// RunModel reads the inputs and fills the selected outputs.
OrtStatus *RunModel(RunState *state, OrtSession *session, OrtMemoryInfo *memory);
// ReleaseRun releases the values of a run, whether it has succeeded or not.
void ReleaseRun(RunState *state);
