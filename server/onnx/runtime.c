#define _GNU_SOURCE
#include "runtime.h"

#include <dlfcn.h>

static void *library;
static const void *const *api;

int FindRuntime(const char *path) {
	library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	if (!library) return 0;
	dlclose(library); // the binding keeps it
	const void *const *(*api_base)(void) = (const void *const *(*)(void))dlsym(library, "OrtGetApiBase");
	if (!api_base) return 0;
	const void *const *(*get_api)(uint32_t) = (const void *const *(*)(uint32_t))api_base()[0];
	api = get_api(API_VERSION);
	return api != NULL;
}

const void *RuntimeFunction(int place) { return api ? api[place] : NULL; }

void *RuntimeSymbol(const char *name) { return dlsym(library, name); }

int ErrorCode(OrtStatus *status) {
	int (*code)(const OrtStatus *) = (int (*)(const OrtStatus *))RuntimeFunction(GET_ERROR_CODE);
	return code ? code(status) : ERROR_FAIL;
}
