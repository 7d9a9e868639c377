#include "allocator.h"

#include <malloc.h>
#include <stdatomic.h>

enum { ALIGNMENT = 64 }; // what the runtime's own allocator gives the processor's vectors

// What is NULL is optional.

struct OrtAllocator {
	uint32_t version;
	void *(*alloc)(OrtAllocator *this, size_t size);
	void (*free)(OrtAllocator *this, void *p);
	const OrtMemoryInfo *(*info)(const OrtAllocator *this);
	void *(*reserve)(OrtAllocator *this, size_t size);
	void *get_stats;
	void *alloc_on_stream;
};

static _Atomic int64_t in_use, limit = INT64_MAX, refused;
static OrtMemoryInfo *memory_info; // until the process ends

// The runtime does not look whether its allocator has returned memory: it expects
// the exception that its own allocators throw. C has no throw, but the function of
// the C++ library that the runtime itself calls.
static void (*throw_bad_alloc)(void);

static void *refuse(int64_t counted) {
	atomic_fetch_sub_explicit(&in_use, counted, memory_order_relaxed);
	atomic_fetch_add_explicit(&refused, 1, memory_order_relaxed);
	throw_bad_alloc();
	return NULL;
}

// counted_alloc counts what an allocation takes, which is a little more than size.
// A request over the limit is refused before anything is allocated.
static void *counted_alloc(OrtAllocator *this, size_t size) {
	void *p = NULL;
	int64_t bytes = size > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)size;
	(void)this;
	if (size == 0) return NULL;
	int64_t before = atomic_fetch_add_explicit(&in_use, bytes, memory_order_relaxed);
	if (bytes > atomic_load_explicit(&limit, memory_order_relaxed) - before) return refuse(bytes);
	if (posix_memalign(&p, ALIGNMENT, size) != 0) return refuse(bytes);
	atomic_fetch_add_explicit(&in_use, (int64_t)malloc_usable_size(p) - bytes, memory_order_relaxed);
	return p;
}

static void counted_free(OrtAllocator *this, void *p) {
	(void)this;
	if (!p) return;
	atomic_fetch_sub_explicit(&in_use, (int64_t)malloc_usable_size(p), memory_order_relaxed);
	free(p);
}

static const OrtMemoryInfo *info(const OrtAllocator *this) {
	(void)this;
	return memory_info;
}

static OrtAllocator allocator = {API_VERSION, counted_alloc, counted_free, info, counted_alloc, NULL, NULL};

typedef OrtStatus *CreateCpuMemoryInfo(int allocator, int type, OrtMemoryInfo **out);

int InstallAllocator(OrtEnv *env, OrtStatus **status) {
	CreateCpuMemoryInfo *create = (CreateCpuMemoryInfo *)RuntimeFunction(CREATE_CPU_MEMORY_INFO);
	throw_bad_alloc = (void (*)(void))RuntimeSymbol("_ZSt17__throw_bad_allocv");
	if (!create || !throw_bad_alloc) return 0;
	*status = memory_info ? NULL : create(DEVICE_ALLOCATOR, MEM_TYPE_DEFAULT, &memory_info);
	if (!*status) *status = RegisterAllocator(env, &allocator);
	return 1;
}

void SetAllocatorLimit(int64_t bytes) { atomic_store(&limit, bytes); }
void CountMemory(int64_t bytes) { atomic_fetch_add(&in_use, bytes); }
void CountRefused(void) { atomic_fetch_add(&refused, 1); }
int64_t AllocatorFree(void) { return atomic_load(&limit) - atomic_load(&in_use); }
int64_t AllocatorInUse(void) { return atomic_load(&in_use); }
int64_t AllocatorRefused(void) { return atomic_load(&refused); }
