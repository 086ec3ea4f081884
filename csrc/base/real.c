/* base/real: a double as the shortest decimal that reads back as the same double.
 *
 * Pure functions; any thread, any locale. Three ways, the first that can:
 *
 * 1. Numbers with few decimals, which is what people and shops write. If x is the double
 *    nearest to r / 10^k, with r below 10^15 and k at most 22, dividing the two gives
 *    exactly x, since both are exact doubles and division rounds to nearest. No two
 *    decimals of 15 digits share a double, so the first k that works gives the shortest.
 * 2. From 1e-4 up to 1e18 all fits into 128 bits: x and the two borders of the interval
 *    that reads back as x are scaled by a power of ten to integers of 18 or 19 digits,
 *    without any rounding; then digits are dropped from all three as long as the borders
 *    still differ (Adams, "Ryu: fast float-to-string conversion", PLDI 2018, has the
 *    proof; here are no tables, because nothing is approximated).
 * 3. The rest (some tiny or huge numbers): the C library with 15, 16, 17 digits until
 *    strtod() gives x again. About a microsecond.
 */
#include "base/real.h"

#include "base/digits.h"

#include <stdio.h>  // snprintf()
#include <stdlib.h> // strtod()
#include <string.h> // memcpy()

/* digits * 10^exponent. */
typedef struct {
    uint64_t digits;
    int exponent;
} decimal;

static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

#define FIXED_MIN 1e-4 /* from here up to 1e16 without an exponent */

/* ---- 1: few decimals ---- */

/* Is x the double of r / 10^k for an r below 10^15? */
static inline bool
has_decimals(double x, int k, uint64_t *r)
{
    double y = x * powers[k];
    if (!(y < 1e15)) {
        return false;
    }
    double whole = (double)(int64_t)(y + 0.5);
    double off = y - whole;
    /* x and the product are each off by at most 2^-53 of it; far more is no candidate
     * and spares the division. */
    if (off > y * 0x1p-51 || -off > y * 0x1p-51 || whole / powers[k] != x) {
        return false;
    }
    *r = (uint64_t)whole;
    return true;
}

/* ---- 2: exactly, in 128 bits ---- */

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

/* A scaled number, cut to an integer; `exact`: nothing was cut off. */
typedef struct {
    uint64_t whole;
    bool exact;
} scaled;

/* n * 2^shift */
static inline scaled
shifted(wide n, int shift)
{
    if (shift >= 0) {
        return (scaled){(uint64_t)(n << shift), true};
    }
    wide whole = n >> -shift;
    return (scaled){(uint64_t)whole, whole << -shift == n};
}

/* Drop digits from `middle` while every number between low and high that is left has
 * fewer; then round. `closed`: low and high themselves read back as x, too. */
static decimal
shortest_between(scaled low, scaled middle, scaled high, bool closed)
{
    uint64_t a = low.whole, b = middle.whole, c = high.whole;
    bool low_ends = low.exact, rest_is_zero = middle.exact;
    uint64_t last = 0;
    int dropped = 0;

    if (high.exact && !closed) {
        c--;
    }
    while (c / 10 > a / 10 || (low_ends && closed && a % 10 == 0 && dropped > 0)) {
        low_ends = low_ends && a % 10 == 0;
        rest_is_zero = rest_is_zero && last == 0;
        last = b % 10;
        a /= 10;
        b /= 10;
        c /= 10;
        dropped++;
    }
    bool below = a == b && !(low_ends && closed); /* b is not above the lower border */
    bool tie = rest_is_zero && last == 5;
    bool up = tie ? b % 2 == 1 : last >= 5;
    return (decimal){b + (below || up), dropped};
}

/* x = mantissa * 2^exponent, normal, 1e-4 <= x < 1e18. */
static decimal
shortest_exact(uint64_t mantissa, int exponent)
{
    int ten = (exponent + 52) * 1233 >> 12; /* 10^ten <= x < 2 * 10^(ten + 1) */
    int up = 17 - ten > 21 ? 21 : 17 - ten; /* more would not fit into 128 bits */
    wide power = (wide)ss_powers_of_ten[up > 19 ? 19 : up] *
                 ss_powers_of_ten[up > 19 ? up - 19 : 0];
    wide four = (wide)mantissa * 4;
    /* Below a power of two the doubles lie twice as dense. */
    wide half_below = mantissa == UINT64_C(1) << 52 ? 1 : 2;

    decimal found =
        shortest_between(shifted((four - half_below) * power, exponent - 2),
                         shifted(four * power, exponent - 2),
                         shifted((four + 2) * power, exponent - 2), mantissa % 2 == 0);
    found.exponent -= up;
    return found;
}
#endif

/* ---- 3: the C library ---- */

/* The text has no decimal point, which would depend on the locale. */
static bool
reads_back(decimal d, double x)
{
    char text[48];

    snprintf(text, sizeof(text), "%llue%d", (unsigned long long)d.digits, d.exponent);
    return strtod(text, NULL) == x;
}

/* x to n digits, correctly rounded. */
static decimal
rounded(double x, int n)
{
    char text[48];
    decimal d = {0, 0};
    const char *at = text;

    snprintf(text, sizeof(text), "%.*e", n - 1, x);
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            d.digits = d.digits * 10 + (uint64_t)(*at - '0');
        }
    }
    d.exponent = (int)strtol(at + 1, NULL, 10) - (n - 1);
    return d;
}

static decimal
shortest_of_library(double x)
{
    /* Any 15 digits survive in a normal double, so fewer need not be tried. */
    for (int n = x < 0x1p-1022 ? 1 : 15; n < 17; n++) {
        decimal d = rounded(x, n);
        if (reads_back(d, x)) {
            return d;
        }
        /* Above a power of two the interval is wider than below, so the neighbour that
         * is not the nearest may be inside. */
        d.digits++;
        if (reads_back(d, x)) {
            return d;
        }
    }
    return rounded(x, 17);
}

/* ---- text ---- */

static char *
put_exponent(int exponent, char *to)
{
    *to++ = 'e';
    *to++ = exponent < 0 ? '-' : '+';
    uint32_t n = (uint32_t)(exponent < 0 ? -exponent : exponent);
    if (n >= 100) {
        *to++ = (char)('0' + n / 100);
    }
    return ss_digits_two(n % 100, to);
}

static char *
put_zeros(int n, char *to)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

/* digits[0..n) with the decimal point after the first `before` of them (which may be
 * less than none or more than all). */
static char *
put_decimal(const char *digits, int n, int before, char *to)
{
    if (before > 16 || before <= -4) {
        *to++ = digits[0];
        if (n > 1) {
            *to++ = '.';
            memcpy(to, digits + 1, (size_t)n - 1);
            to += n - 1;
        }
        return put_exponent(before - 1, to);
    }
    int whole = before < 0 ? 0 : before < n ? before : n;
    memcpy(to, digits, (size_t)whole);
    to += whole;
    to = put_zeros(before > 0 ? before - whole : 1, to);
    *to++ = '.';
    to = put_zeros(before < 0 ? -before : 0, to);
    if (whole == n) {
        return put_zeros(1, to);
    }
    memcpy(to, digits + whole, (size_t)(n - whole));
    return to + n - whole;
}

static char *
put_any_decimal(decimal d, char *to)
{
    char digits[SS_INT_TEXT];
    int n = (int)(ss_digits_unsigned(d.digits, digits) - digits);
    int before = n + d.exponent;

    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    return put_decimal(digits, n, before, to);
}

/* r / 10^k, whose whole part is that of x; r does not end in 0 unless k is 0. */
static inline char *
put_few_decimals(double x, uint64_t r, int k, char *to)
{
    uint64_t whole = (uint64_t)x;

    to = ss_digits_unsigned(whole, to);
    *to++ = '.';
    if (k == 0) {
        *to = '0';
        return to + 1;
    }
    return ss_digits_fixed(r - whole * ss_powers_of_ten[k], k, to);
}

char *
ss_real_put(double value, char to[SS_REAL_TEXT])
{
    uint64_t bits, r;

    memcpy(&bits, &value, sizeof(bits));
    if (bits >> 63) {
        *to++ = '-';
        value = -value;
    }
    if (value >= FIXED_MIN || value == 0) {
        for (int k = 0; k <= 6; k++) {
            if (has_decimals(value, k, &r)) {
                return put_few_decimals(value, r, k, to);
            }
        }
    }
    else {
        for (int k = 5; k <= 22; k++) {
            if (has_decimals(value, k, &r) && r > 0) {
                return put_any_decimal((decimal){r, -k}, to);
            }
        }
    }
#ifdef __SIZEOF_INT128__
    if (value >= FIXED_MIN && value < 1e18) {
        int exponent = (int)(bits >> 52 & 0x7ff) - 1075;
        uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
        return put_any_decimal(shortest_exact(mantissa, exponent), to);
    }
#endif
    return put_any_decimal(shortest_of_library(value), to);
}
