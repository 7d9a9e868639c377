#pragma once

#include "value.h"

// OpenSession loads the model file at path. A run uses so many threads; with arena
// the session keeps the memory of a run for the next one.
OrtStatus *OpenSession(OrtEnv *env, char *path, int threads, int arena, OrtSession **session);

// DescribeInput and DescribeOutput read what the model declares. The caller frees
// the name, which is the runtime's.
OrtStatus *DescribeInput(OrtSession *session, size_t i, char **name, Value *value);
OrtStatus *DescribeOutput(OrtSession *session, size_t i, char **name, Value *value);

// CountOptional returns how many inputs have a default, which is an initializer that may
// be overridden, and DescribeOptional is DescribeInput for those.
OrtStatus *CountOptional(OrtSession *session, size_t *count);
OrtStatus *DescribeOptional(OrtSession *session, size_t i, char **name, Value *value);
