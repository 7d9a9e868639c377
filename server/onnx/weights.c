#define _GNU_SOURCE
#include "weights.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "allocator.h"

// The runtime has a setting for neither, and no way to pass a reader of files. So the binary
// exports its own mmap and munmap, which the loader takes before the C library's: of a file
// that the runtime maps privately they make a copy. All other calls, those of Go
// among them, are passed to the kernel.

typedef struct Copy {
	void *address;
	size_t size;
	struct Copy *next;
} Copy;

static _Atomic(void *) runtime_base; // address of the runtime's library; NULL until it is loaded
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Copy *copies; // guarded by mutex
static atomic_int copy_count;

static void *map(void *address, size_t size, int protection, int flags, int file, off_t offset) {
	return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}

static int of_runtime(const void *caller) {
	Dl_info library;
	void *base = atomic_load(&runtime_base);
	return base && dladdr(caller, &library) && library.dli_fbase == base;
}

// read_whole fails for a file that has become shorter.
static int read_whole(int file, char *to, size_t size, off_t offset) {
	while (size > 0) {
		ssize_t n = pread(file, to, size, offset);
		if (n < 0 && errno == EINTR) continue;
		if (n == 0) errno = EIO;
		if (n <= 0) return 0;
		to += n, offset += n, size -= (size_t)n;
	}
	return 1;
}

static void *copy_of(size_t size, int protection, int file, off_t offset) {
	Copy *copy = malloc(sizeof *copy);
	if (!copy) return MAP_FAILED;
	void *memory = map(NULL, size, protection | PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || !read_whole(file, memory, size, offset)) {
		int failed = errno;
		if (memory != MAP_FAILED) syscall(SYS_munmap, memory, size);
		free(copy);
		errno = failed;
		return MAP_FAILED;
	}
	*copy = (Copy){memory, size, NULL};
	pthread_mutex_lock(&mutex);
	copy->next = copies;
	copies = copy;
	atomic_fetch_add(&copy_count, 1);
	pthread_mutex_unlock(&mutex);
	CountMemory((int64_t)size);
	return memory;
}

static Copy *take_copy(const void *address) {
	Copy *found = NULL;
	if (atomic_load(&copy_count) == 0) return NULL;
	pthread_mutex_lock(&mutex);
	for (Copy **at = &copies; *at; at = &(*at)->next) {
		if ((*at)->address != address) continue;
		found = *at;
		*at = found->next;
		atomic_fetch_sub(&copy_count, 1);
		break;
	}
	pthread_mutex_unlock(&mutex);
	return found;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
	if (file >= 0 && (flags & MAP_TYPE) == MAP_PRIVATE && !(flags & (MAP_ANONYMOUS | MAP_FIXED)) && of_runtime(__builtin_return_address(0)))
		return copy_of(size, protection, file, offset);
	return map(address, size, protection, flags, file, offset);
}

// What a library with offsets of 64 bits calls; the two are one in the C library too.
void *mmap64(void *address, size_t size, int protection, int flags, int file, off_t offset) __attribute__((alias("mmap")));

int munmap(void *address, size_t size) {
	Copy *copy = take_copy(address);
	if (copy) {
		CountMemory(-(int64_t)copy->size);
		free(copy);
	}
	return (int)syscall(SYS_munmap, address, size);
}

int ReadExternalWeights(void) {
	Dl_info library;
	if (!dladdr(RuntimeSymbol("OrtGetApiBase"), &library)) return 0;
	if (dlsym(RTLD_DEFAULT, "mmap") != (void *)mmap || dlsym(RTLD_DEFAULT, "munmap") != (void *)munmap) return 0;
	atomic_store(&runtime_base, library.dli_fbase);
	return 1;
}
