#pragma once

#include <stddef.h>
#include <stdint.h>

// Read is how many numbers were read, and where in the body reading goes on.
typedef struct {
	size_t count, end;
} Read;

// ReadPlain32 reads numbers from body[from] on into a float32 each, as long as
// there is room and they are written as nearly all are: digits, perhaps a point
// and digits, a comma behind them and at most one space before. What it leaves
// may be a number for all that. It reads none on a processor without SSE4.2.
Read ReadPlain32(const uint8_t *body, size_t length, size_t from, float *into, size_t room);
