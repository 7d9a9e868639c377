#include "run_state.h"

RunState *NewRunState(size_t inputs, size_t outputs) {
	RunState *s = allocate(1, sizeof *s);
	s->input_count = inputs;
	s->output_count = outputs;
	s->inputs = allocate(inputs, sizeof *s->inputs);
	s->outputs = allocate(outputs, sizeof *s->outputs);
	s->input_handles = allocate(inputs, sizeof *s->input_handles);
	s->output_handles = allocate(outputs, sizeof *s->output_handles);
	s->input_names = allocate(inputs, sizeof *s->input_names);
	s->output_names = allocate(outputs, sizeof *s->output_names);
	return s;
}

void FreeRunState(RunState *s) {
	for (size_t i = 0; i < s->input_count; i++) FreeValue(&s->inputs[i]);
	for (size_t i = 0; i < s->output_count; i++) FreeValue(&s->outputs[i]);
	if (s->options) ReleaseRunOptions(s->options);
	free(s->inputs);
	free(s->outputs);
	free(s->input_handles);
	free(s->output_handles);
	free(s->input_names);
	free(s->output_names);
	free(s);
}

// Makes the runtime's value of an input over Go's memory. Go itself makes those of strings.
static OrtStatus *bind(Value *v, OrtMemoryInfo *memory) {
	if (v->handle) return NULL;
	return CreateOrtTensorWithShape(v->data, v->size, v->shape, (int64_t)v->rank, memory, v->type, &v->handle);
}

static void release_inputs(RunState *s) {
	for (size_t i = 0; i < s->input_count; i++) {
		ReleaseValue(&s->inputs[i]);
		s->input_handles[i] = NULL;
	}
}

OrtStatus *RunModel(RunState *s, OrtSession *session, OrtMemoryInfo *memory) {
	OrtStatus *status = NULL;
	for (size_t i = 0; i < s->given_count && !status; i++) {
		status = bind(&s->inputs[i], memory);
		s->input_handles[i] = s->inputs[i].handle;
	}
	if (!status) {
		status = RunOrtSessionWithOptions(session, s->input_handles, s->input_names, (int)s->given_count,
			s->output_handles, s->output_names, (int)s->selected_count, s->options);
	}
	release_inputs(s);
	for (size_t i = 0; i < s->selected_count; i++) {
		s->outputs[i].handle = s->output_handles[i];
		s->output_handles[i] = NULL;
		if (!status) status = DescribeValue(&s->outputs[i]);
	}
	return status;
}

void ReleaseRun(RunState *s) {
	release_inputs(s);
	for (size_t i = 0; i < s->output_count; i++) ReleaseValue(&s->outputs[i]);
}
