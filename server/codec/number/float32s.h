#pragma once

#include <stddef.h>
#include <stdint.h>

// Numbers is the count of numbers that were read, and the position behind the last one's comma.
typedef struct {
	size_t count, end;
} Numbers;

// ReadFloat32s reads numbers from text[from] on into a float32 each, until into has capacity
// of them or the next one is not in the common form: one space at most, digits, perhaps a point and
// digits, and a comma. What it does not read may still be a number. It reads
// nothing on a processor without SSE4.2.
Numbers ReadFloat32s(const uint8_t *text, size_t length, size_t from, float *into, size_t capacity);
