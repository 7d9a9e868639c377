#include "float32s.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define SSE42 __attribute__((target("sse4.2,popcnt")))

enum {
	WIDTH = 16, // bytes of a vector
	BLOCK = 64, // numbers whose commas are found before the first of them is read
};

static const uint64_t powers_of_10[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
	1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
};

// Those that a double holds exactly.
static const double exact_powers_of_10[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// The sixteen bytes from masks + n have their last n set.
static const uint8_t masks[2 * WIDTH] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

typedef struct {
	uint64_t mantissa;
	size_t decimals; // the number is mantissa / 10^decimals
} Decimal;

SSE42 static __m128i load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }

// find_commas writes the positions of the commas from text[i] on: as many as wanted and up to 16
// more, but none of the text's last bytes. Most vectors have one comma or two, and which of the two is hard to
// predict, so it always writes two positions and counts the valid ones.
SSE42 static size_t find_commas(const uint8_t *text, size_t length, size_t i, size_t *commas, size_t wanted) {
	const __m128i comma = _mm_set1_epi8(',');
	size_t found = 0;
	for (; found < wanted && i + WIDTH <= length; i += WIDTH) {
		unsigned matches = _mm_movemask_epi8(_mm_cmpeq_epi8(load(text + i), comma));
		size_t *next = commas + found;
		found += _mm_popcnt_u32(matches);
		for (int n = 0; n < 2; n++, matches &= matches - 1) *next++ = i + __builtin_ctz(matches | 1 << WIDTH);
		for (; matches; matches &= matches - 1) *next++ = i + __builtin_ctz(matches);
	}
	return found;
}

// read_short_decimal reads a digit, a point and up to sixteen digits before end. The sixteen
// bytes before end must belong to the text.
SSE42 static bool read_short_decimal(const uint8_t *first, const uint8_t *end, Decimal *d) {
	size_t decimals = end - first - 2;
	unsigned integer = first[0] - '0';
	__m128i digits = _mm_and_si128(_mm_sub_epi8(load(end - WIDTH), _mm_set1_epi8('0')), load(masks + decimals));
	__m128i above_9 = _mm_subs_epu8(digits, _mm_set1_epi8(9));
	if (integer > 9 || !_mm_testz_si128(above_9, above_9)) return false;
	// Each step joins neighbours: digits to numbers of two digits, of four, of eight.
	digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(1 << 8 | 10));
	digits = _mm_madd_epi16(digits, _mm_set1_epi32(1 << 16 | 100));
	digits = _mm_madd_epi16(_mm_packus_epi32(digits, digits), _mm_set1_epi32(1 << 16 | 10000));
	uint64_t halves = _mm_cvtsi128_si64(digits);
	d->mantissa = integer * powers_of_10[decimals] + (uint32_t)halves * UINT64_C(100000000) + (halves >> 32);
	d->decimals = decimals;
	return true;
}

static const uint8_t *read_digits(const uint8_t *p, const uint8_t *end, uint64_t *mantissa) {
	for (; p < end && (uint8_t)(*p - '0') <= 9; p++) *mantissa = *mantissa * 10 + (*p - '0');
	return p;
}

// read_long_decimal reads digits, and perhaps a point and digits, up to end.
static bool read_long_decimal(const uint8_t *first, const uint8_t *end, Decimal *d) {
	if (end - first > 19) return false; // 19 digits always fit
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

// round_to_float gives the float32 nearest to d. It returns false when the error of the double may
// decide which one that is, as nearOneFloat32 does in float.go.
static bool round_to_float(Decimal d, float *f) {
	double value = (double)(int64_t)d.mantissa / exact_powers_of_10[d.decimals];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	const uint64_t margin = 8, half = UINT64_C(1) << 28;
	*f = (float)value;
	return d.mantissa == 0 || (value >= 0x1p-126 && (bits & (2 * half - 1)) - (half - margin) > 2 * margin);
}

// read_numbers finds the commas first: when the ends of a number are known, the processor
// can begin to read it before it is done with the number before.
SSE42 static Numbers read_numbers(const uint8_t *text, size_t length, size_t from, float *into, size_t capacity) {
	Numbers read = {0, from};
	size_t commas[BLOCK + WIDTH];
	while (read.count < capacity) {
		size_t wanted = capacity - read.count < BLOCK ? capacity - read.count : BLOCK;
		size_t found = find_commas(text, length, read.end, commas, wanted);
		if (!found) break;
		for (size_t n = 0; n < found && n < wanted; n++) {
			const uint8_t *first = text + read.end, *end = text + commas[n];
			first += *first == ' ';
			uint32_t negative = *first == '-'; // without a branch: signs can't be predicted
			first += negative;
			Decimal d;
			bool is_short = end - first >= 3 && end - first <= 2 + WIDTH && first[1] == '.';
			if (!(is_short ? read_short_decimal(first, end, &d) : read_long_decimal(first, end, &d))) return read;
			if (!round_to_float(d, into)) return read;
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

Numbers ReadFloat32s(const uint8_t *text, size_t length, size_t from, float *into, size_t capacity) {
	// Up to sixteen bytes before the end of a number are loaded, whether or not they belong to it.
	if (from < WIDTH || !__builtin_cpu_supports("sse4.2")) return (Numbers){0, from};
	return read_numbers(text, length, from, into, capacity);
}

#else

Numbers ReadFloat32s(const uint8_t *text, size_t length, size_t from, float *into, size_t capacity) {
	return (Numbers){0, from};
}

#endif
