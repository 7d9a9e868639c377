#pragma once

// ReadExternalWeights makes the runtime, which FindRuntime has found, read external
// weights into memory that AllocatorInUse counts. By itself it maps their files for as
// long as the session lives: a file that is written over in place changes what the
// session answers, and one that is cut short ends the process by SIGBUS. 0 is that the
// binary does not export its mmap and munmap.
int ReadExternalWeights(void);
