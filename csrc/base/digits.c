/* base/digits: integers as decimal text.
 *
 * Pure functions; any thread. What they write is not closed with a NUL.
 */
#include "base/digits.h"

#define TEN(t) #t "0" #t "1" #t "2" #t "3" #t "4" #t "5" #t "6" #t "7" #t "8" #t "9"

const char ss_digit_pairs[201] =
    TEN(0) TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9);

const uint64_t ss_powers_of_ten[20] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

int
ss_digits_count(uint64_t value)
{
    /* 1233 / 4096 is log10(2): right, or one too few. */
    int bits = 64 - __builtin_clzll(value | 1);
    int n = bits * 1233 >> 12;

    return n + (n == 0 || value >= ss_powers_of_ten[n]);
}

char *
ss_digits_fixed(uint64_t value, int n, char *to)
{
    char *end = to + n, *at = end;

    for (; at - to >= 2; at -= 2) {
        ss_digits_two((uint32_t)(value % 100), at - 2);
        value /= 100;
    }
    if (at > to) {
        *to = (char)('0' + value % 10);
    }
    return end;
}
