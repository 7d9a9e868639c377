#define _GNU_SOURCE
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

// quota returns the container's CPU limit by cgroup v2, rounded up.
static int quota(void) {
	int used, period, read = 0;
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
	if (f) {
		read = fscanf(f, "%d %d", &used, &period); // "max 100000" is no limit
		fclose(f);
	}
	return read == 2 && period > 0 ? (used - 1) / period + 1 : INT_MAX;
}

static int processors(void) {
	cpu_set_t set;
	return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// limit_arenas makes many threads share a heap of C's. By default each thread gets
// its own, which keeps what it once needed: a run uses whatever thread is free, and
// in time every heap has had the largest. After 120 reloads of 10 MB under load the
// process holds ×1.23 without the limit (scripts/bench -run TestSoak). glibc takes
// the limit only before there is a second thread.
__attribute__((constructor)) static void limit_arenas(void) {
	const int sharers = 4, fewest = 2; // so many threads seldom wait for one another
	if (getenv("MALLOC_ARENA_MAX")) return;
	int limit = quota(), arenas = processors();
	arenas = (arenas < limit ? arenas : limit) / sharers;
	mallopt(M_ARENA_MAX, arenas > fewest ? arenas : fewest);
}
