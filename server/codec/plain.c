#include "plain.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define SSE42 __attribute__((target("sse4.2,popcnt")))

enum { WIDTH = 16, BLOCK = 64 }; // bytes looked at in one go; numbers whose ends are looked for in one go

static const uint64_t powers[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
	1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
};

// Exact in a double.
static const double scales[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// The sixteen bytes from last_bytes + n have their last n set.
static const uint8_t last_bytes[2 * WIDTH] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

typedef struct {
	uint64_t mantissa;
	size_t decimals; // the number is mantissa / 10^decimals
} Decimal;

SSE42 static __m128i load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }

// find notes the places of the commas from body[i] on, of 16 more than it is asked
// for at most, but none of the body's last bytes. Most words of the body have one
// comma or two, and which is hard to foretell: so two are noted always.
SSE42 static size_t find(const uint8_t *body, size_t length, size_t i, size_t *commas, size_t asked) {
	const __m128i comma = _mm_set1_epi8(',');
	size_t found = 0;
	for (; found < asked && i + WIDTH <= length; i += WIDTH) {
		unsigned at = _mm_movemask_epi8(_mm_cmpeq_epi8(load(body + i), comma));
		size_t *next = commas + found;
		found += _mm_popcnt_u32(at);
		for (int n = 0; n < 2; n++, at &= at - 1) *next++ = i + __builtin_ctz(at | 1 << WIDTH);
		for (; at; at &= at - 1) *next++ = i + __builtin_ctz(at);
	}
	return found;
}

// short_decimal reads a digit, a point and up to sixteen digits, the last of which
// end at end; all sixteen bytes there are the body's.
SSE42 static bool short_decimal(const uint8_t *first, const uint8_t *end, Decimal *d) {
	size_t decimals = end - first - 2;
	unsigned whole = first[0] - '0';
	__m128i digits = _mm_and_si128(_mm_sub_epi8(load(end - WIDTH), _mm_set1_epi8('0')), load(last_bytes + decimals));
	__m128i over = _mm_subs_epu8(digits, _mm_set1_epi8(9));
	if (whole > 9 || !_mm_testz_si128(over, over)) return false;
	// Each step joins neighbours: digits to two, to four, to eight.
	digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
	digits = _mm_madd_epi16(digits, _mm_set1_epi32(1 << 16 | 100));
	digits = _mm_madd_epi16(_mm_packus_epi32(digits, digits), _mm_set1_epi32(1 << 16 | 10000));
	uint64_t eights = _mm_cvtsi128_si64(digits);
	d->mantissa = whole * powers[decimals] + (uint32_t)eights * UINT64_C(100000000) + (eights >> 32);
	d->decimals = decimals;
	return true;
}

static const uint8_t *read_digits(const uint8_t *p, const uint8_t *end, uint64_t *mantissa) {
	for (; p < end && (uint8_t)(*p - '0') <= 9; p++) *mantissa = *mantissa * 10 + (*p - '0');
	return p;
}

// long_decimal reads digits, and perhaps a point and digits, up to end.
static bool long_decimal(const uint8_t *first, const uint8_t *end, Decimal *d) {
	if (end - first > 19) return false; // so many digits always fit
	*d = (Decimal){0, 0};
	const uint8_t *p = read_digits(first, end, &d->mantissa);
	if (p == first || (p > first + 1 && *first == '0')) return false;
	if (p < end && *p == '.') {
		const uint8_t *decimals = ++p;
		p = read_digits(p, end, &d->mantissa);
		d->decimals = p - decimals;
		if (!d->decimals) return false;
	}
	return p == end && d->mantissa <= INT64_MAX;
}

// nearest is sure32 of float.go; it gives the float32 that is nearest to d if it is sure of it.
static bool nearest(Decimal d, float *f) {
	double value = (double)(int64_t)d.mantissa / scales[d.decimals];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	const uint64_t margin = 8, half = UINT64_C(1) << 28;
	*f = (float)value;
	return d.mantissa == 0 || (value >= 0x1p-126 && (bits & (2 * half - 1)) - (half - margin) > 2 * margin);
}

// The commas are found first: a number whose ends are known can be read while the
// processor is still at the one before it.
SSE42 static Read read_plain(const uint8_t *body, size_t length, size_t from, float *into, size_t room) {
	Read read = {0, from};
	size_t commas[BLOCK + WIDTH];
	while (read.count < room) {
		size_t asked = room - read.count < BLOCK ? room - read.count : BLOCK;
		size_t found = find(body, length, read.end, commas, asked);
		if (!found) break;
		for (size_t n = 0; n < found && n < asked; n++) {
			const uint8_t *first = body + read.end, *end = body + commas[n];
			first += *first == ' ';
			uint32_t negative = *first == '-'; // without a jump: signs come as they please
			first += negative;
			Decimal d;
			bool is_short = end - first >= 3 && end - first <= 2 + WIDTH && first[1] == '.';
			if (!(is_short ? short_decimal(first, end, &d) : long_decimal(first, end, &d))) return read;
			if (!nearest(d, into)) return read;
			uint32_t bits;
			memcpy(&bits, into, sizeof bits);
			bits |= negative << 31;
			memcpy(into++, &bits, sizeof bits);
			read.count++;
			read.end = commas[n] + 1;
		}
	}
	return read;
}

Read ReadPlain32(const uint8_t *body, size_t length, size_t from, float *into, size_t room) {
	// Up to sixteen bytes before the end of a number are read, its own or not.
	if (from < WIDTH || !__builtin_cpu_supports("sse4.2")) return (Read){0, from};
	return read_plain(body, length, from, into, room);
}

#else

Read ReadPlain32(const uint8_t *body, size_t length, size_t from, float *into, size_t room) {
	return (Read){0, from};
}

#endif
