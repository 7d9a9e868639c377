#include "frame.h"

// One more than asked for, because of none calloc may make NULL.
static void *zeroed(size_t count, size_t size) {
	void *p = calloc(count + 1, size);
	if (!p) abort();
	return p;
}

Frame *NewFrame(size_t inputs, size_t outputs) {
	Frame *f = zeroed(1, sizeof *f);
	f->input_count = inputs;
	f->output_count = outputs;
	f->inputs = zeroed(inputs, sizeof *f->inputs);
	f->outputs = zeroed(outputs, sizeof *f->outputs);
	f->given = zeroed(inputs, sizeof *f->given);
	f->answers = zeroed(outputs, sizeof *f->answers);
	f->input_names = zeroed(inputs, sizeof *f->input_names);
	f->output_names = zeroed(outputs, sizeof *f->output_names);
	return f;
}

void FreeFrame(Frame *f) {
	for (size_t i = 0; i < f->input_count; i++) EmptySlot(&f->inputs[i]);
	for (size_t i = 0; i < f->output_count; i++) EmptySlot(&f->outputs[i]);
	if (f->options) ReleaseRunOptions(f->options);
	free(f->inputs);
	free(f->outputs);
	free(f->given);
	free(f->answers);
	free(f->input_names);
	free(f->output_names);
	free(f);
}

void FitSlot(Slot *s, size_t rank) {
	s->rank = rank;
	if (rank <= s->room && s->shape) return;
	s->room = rank < 8 ? 8 : rank;
	s->shape = realloc(s->shape, s->room * sizeof *s->shape);
	if (!s->shape) abort();
}

static void release(OrtValue **value) {
	if (*value) ReleaseOrtValue(*value);
	*value = NULL;
}

void EmptySlot(Slot *s) {
	release(&s->value);
	free(s->shape);
	s->shape = NULL;
	s->room = 0;
}

static OrtStatus *read_type(const Info *info, Slot *s) {
	OrtStatus *status = GetTensorElementType(info, &s->type);
	if (status) return status;
	size_t rank = 0;
	status = GetDimensionsCount(info, &rank);
	if (status) return status;
	FitSlot(s, rank);
	return GetDimensions(info, s->shape, rank);
}

OrtStatus *DescribeValue(Slot *s) {
	OrtStatus *status = GetValueType(s->value, &s->kind);
	if (status || s->kind != KIND_TENSOR) return status;
	Info *info = NULL;
	status = GetTensorTypeAndShape(s->value, &info);
	if (status) return status;
	status = read_type(info, s);
	ReleaseTensorTypeAndShapeInfo(info);
	if (status || s->type == TYPE_STRING) return status;
	return GetTensorMutableData(s->value, &s->data);
}

OrtStatus *DescribeElement(OrtValue *container, int i, Slot *s) {
	OrtStatus *status = GetValue(container, i, &s->value);
	return status ? status : DescribeValue(s);
}

// Frees the type.
static OrtStatus *describe_type(TypeInfo *type, Slot *s) {
	OrtStatus *status = GetONNXTypeFromTypeInfo(type, &s->kind);
	if (!status && s->kind == KIND_TENSOR) {
		Info *info = NULL;
		status = CastTypeInfoToTensorInfo(type, &info);
		if (!status) status = read_type(info, s);
	}
	ReleaseTypeInfo(type);
	return status;
}

OrtStatus *DescribeInput(void *session, size_t i, char **name, Slot *s) {
	TypeInfo *type = NULL;
	OrtStatus *status = SessionGetInputName(session, i, name);
	if (!status) status = SessionGetInputTypeInfo(session, i, &type);
	return status ? status : describe_type(type, s);
}

OrtStatus *DescribeOutput(void *session, size_t i, char **name, Slot *s) {
	TypeInfo *type = NULL;
	OrtStatus *status = SessionGetOutputName(session, i, name);
	if (!status) status = SessionGetOutputTypeInfo(session, i, &type);
	return status ? status : describe_type(type, s);
}

// Makes the value of an input, unless Go has made it, as it does of strings.
static OrtStatus *give(Slot *s, void *memory) {
	if (s->value) return NULL;
	return CreateOrtTensorWithShape(s->data, s->size, s->shape, (int64_t)s->rank, memory, s->type, &s->value);
}

static void drop_inputs(Frame *f) {
	for (size_t i = 0; i < f->input_count; i++) {
		release(&f->inputs[i].value);
		f->inputs[i].data = NULL;
		f->given[i] = NULL;
	}
}

OrtStatus *RunFrame(Frame *f, void *session, void *options, void *memory) {
	OrtStatus *status = NULL;
	for (size_t i = 0; i < f->input_count && !status; i++) {
		status = give(&f->inputs[i], memory);
		f->given[i] = f->inputs[i].value;
	}
	if (!status) {
		status = RunOrtSessionWithOptions(session, f->given, f->input_names, (int)f->input_count,
			f->answers, f->output_names, (int)f->wanted, options);
	}
	drop_inputs(f);
	for (size_t i = 0; i < f->wanted; i++) {
		f->outputs[i].value = f->answers[i];
		f->answers[i] = NULL;
		if (!status) status = DescribeValue(&f->outputs[i]);
	}
	return status;
}

void DropFrame(Frame *f) {
	drop_inputs(f);
	for (size_t i = 0; i < f->output_count; i++) release(&f->outputs[i].value);
}
