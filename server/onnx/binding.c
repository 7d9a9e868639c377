#include "binding.h"

#define ENTRY(result, name, parameters) {#name, (const void *)name},
static const BindingFunction functions[] = {BINDING_FUNCTIONS(ENTRY)};
#undef ENTRY

const BindingFunction *BindingFunctions(size_t *count) {
	*count = sizeof functions / sizeof *functions;
	return functions;
}
