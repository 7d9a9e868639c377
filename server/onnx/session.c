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
