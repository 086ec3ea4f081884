/* base/digits: integers as decimal text, fast. Two digits at a time from a table. */
#ifndef SS_BASE_DIGITS_H
#define SS_BASE_DIGITS_H

#include "base/status.h"

#include <string.h> // memcpy()

/* "00", "01", ... "99", one after another. */
extern const char ss_digit_pairs[201];
/* 10^0 to 10^19. */
extern const uint64_t ss_powers_of_ten[20];

enum { SS_INT_TEXT = 20 }; /* the longest: INT64_MIN */

/* 0..99 as two digits. */
static inline char *
ss_digits_two(uint32_t value, char *to)
{
    memcpy(to, ss_digit_pairs + 2 * value, 2);
    return to + 2;
}

/* How many digits a number has; 0 has one. */
int ss_digits_count(uint64_t value);
/* The last `n` digits of a number, zeros in front: (7, 3) is 007. Returns the end. */
char *ss_digits_fixed(uint64_t value, int n, char *to);

static inline char *
ss_digits_unsigned(uint64_t value, char *to)
{
    if (value < 10) {
        *to = (char)('0' + value);
        return to + 1;
    }
    if (value < 100) {
        return ss_digits_two((uint32_t)value, to);
    }
    return ss_digits_fixed(value, ss_digits_count(value), to);
}

static inline char *
ss_digits_int(int64_t value, char *to)
{
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    }
    return ss_digits_unsigned(magnitude, to);
}

#endif
