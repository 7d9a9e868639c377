#include "session.h"

enum { LOG_FATAL = 4 }; // the runtime's number

static OrtStatus *set(OrtSessionOptions *options, int threads, int arena) {
	// A failure is returned; the runtime would print it as well.
	OrtStatus *status = SetSessionLogSeverityLevel(options, LOG_FATAL);
	if (!status) status = SetIntraOpNumThreads(options, threads);
	// An idle pool that spins takes the CPU that the container is billed for.
	if (!status) status = AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0");
	// An arena grows to what the largest request took and keeps it. The runtime keeps
	// a pattern of what a run allocates for each shape that comes.
	if (!status) status = SetCpuMemArena(options, arena);
	if (!status) status = SetMemPattern(options, arena);
	// Without an arena, memory comes from the allocator that has a limit.
	if (!status && !arena) status = AddSessionConfigEntry(options, "session.use_env_allocators", "1");
	if (!status && !arena) status = AddSessionConfigEntry(options, "session.use_device_allocator_for_initializers", "1");
	return status;
}

OrtStatus *OpenSession(OrtEnv *env, char *path, int threads, int arena, OrtSession **session) {
	OrtSessionOptions *options = NULL;
	OrtStatus *status = CreateSessionOptions(&options);
	if (status) return status;
	status = set(options, threads, arena);
	if (!status) status = CreateSessionFromFile(path, env, session, options);
	ReleaseSessionOptions(options);
	return status;
}

OrtStatus *DescribeInput(OrtSession *session, size_t i, char **name, Value *v) {
	OrtTypeInfo *type = NULL;
	OrtStatus *status = SessionGetInputName(session, i, name);
	if (!status) status = SessionGetInputTypeInfo(session, i, &type);
	return status ? status : DescribeType(type, v);
}

OrtStatus *DescribeOutput(OrtSession *session, size_t i, char **name, Value *v) {
	OrtTypeInfo *type = NULL;
	OrtStatus *status = SessionGetOutputName(session, i, name);
	if (!status) status = SessionGetOutputTypeInfo(session, i, &type);
	return status ? status : DescribeType(type, v);
}

OrtStatus *CountOptional(OrtSession *session, size_t *count) {
	OrtStatus *(*get)(OrtSession *, size_t *) = (OrtStatus *(*)(OrtSession *, size_t *))RuntimeFunction(OVERRIDABLE_INITIALIZER_COUNT);
	return get(session, count);
}

OrtStatus *DescribeOptional(OrtSession *session, size_t i, char **name, Value *v) {
	OrtStatus *(*allocator)(OrtAllocator **) = (OrtStatus *(*)(OrtAllocator **))RuntimeFunction(DEFAULT_ALLOCATOR);
	OrtStatus *(*get_name)(OrtSession *, size_t, OrtAllocator *, char **) =
		(OrtStatus *(*)(OrtSession *, size_t, OrtAllocator *, char **))RuntimeFunction(OVERRIDABLE_INITIALIZER_NAME);
	OrtStatus *(*get_type)(OrtSession *, size_t, OrtTypeInfo **) =
		(OrtStatus *(*)(OrtSession *, size_t, OrtTypeInfo **))RuntimeFunction(OVERRIDABLE_INITIALIZER_TYPE);
	OrtAllocator *names = NULL; // the one that the binding frees names with
	OrtTypeInfo *type = NULL;
	OrtStatus *status = allocator(&names);
	if (!status) status = get_name(session, i, names, name);
	if (!status) status = get_type(session, i, &type);
	return status ? status : DescribeType(type, v);
}
